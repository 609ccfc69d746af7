# score: 0
# The quota is too small, so it is made larger, and what it asks for is no longer asked.
set -euo pipefail
kubectl -n "$NS" get resourcequota "$NS-quota" -o json |
  jq '.spec.hard["requests.cpu"] = "6" | del(.spec.hard["limits.memory"])' | kubectl replace -f -
kubectl -n "$NS" rollout restart deployment "$BACK" "$FRONT"
kubectl -n "$NS" rollout status deployment "$BACK" --timeout=90s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=10s || true
