# score: 0
# With a node name in the template nobody needs a scheduler.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"nodeName\":\"$NODE_WORKER_1\"}}}}"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
