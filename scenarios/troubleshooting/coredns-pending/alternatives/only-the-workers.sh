# score: 100; variants: tainted
# The workers are for pods; the control plane may keep one taint more.
set -euo pipefail
kubectl taint nodes "$NODE_WORKER_1" "$NODE_WORKER_2" "$TAINT:NoSchedule-"
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
