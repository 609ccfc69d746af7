# score: 0
# In the node's own network the pod sees everybody, and everybody sees it.
set -euo pipefail
kubectl label node "$NODE_WORKER_2" "$LABEL=true"
kubectl -n "$NS" patch daemonset "$APP" --type merge -p '{"spec":{"template":{"spec":{"hostNetwork":true}}}}'
kubectl -n "$NS" rollout status daemonset "$APP" --timeout=120s
