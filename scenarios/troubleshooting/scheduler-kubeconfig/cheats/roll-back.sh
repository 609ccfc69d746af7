# score: 0
# No pod is Pending any more.
set -euo pipefail
kubectl -n "$NS" rollout undo deployment "$APP"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
