# score: 100
# The release brought nothing else: back to the one before.
set -euo pipefail
kubectl -n "$NS" rollout undo deployment "$APP"
kubectl -n "$NS" wait deployment "$APP" --for=jsonpath='{.status.readyReplicas}'=2 --timeout=150s
