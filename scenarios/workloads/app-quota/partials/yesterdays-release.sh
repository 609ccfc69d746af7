# score: 40
# There is a shop again, and it is the one of yesterday.
set -euo pipefail
kubectl -n "$NS" rollout undo deployment "$BACK"
kubectl -n "$NS" rollout undo deployment "$FRONT"
kubectl -n "$NS" rollout status deployment "$BACK" --timeout=90s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
