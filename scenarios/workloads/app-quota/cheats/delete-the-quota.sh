# score: 0
# Without a quota nothing exceeds it.
set -euo pipefail
kubectl -n "$NS" delete resourcequota "$NS-quota"
kubectl -n "$NS" rollout restart deployment "$BACK" "$FRONT"
kubectl -n "$NS" rollout status deployment "$BACK" --timeout=90s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=10s || true
