# score: 100
# Both orders are fields of the node's spec.
set -euo pipefail
kubectl patch node "$NODE_WORKER_2" --type merge -p '{"spec":{"unschedulable":null,"taints":null}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
