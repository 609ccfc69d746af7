# score: 100; variants: node-selector
# The demand stays, and the workers meet it.
set -euo pipefail
kubectl label nodes "$NODE_WORKER_1" "$NODE_WORKER_2" "$LABEL=true"
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
