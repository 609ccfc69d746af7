# score: 0; variants: directive
# Back to the pods of before the restart, and one of them is enough: the rollout no longer hangs.
set -uo pipefail
kubectl -n kube-system rollout undo deployment coredns
kubectl -n kube-system scale deployment coredns --replicas=1
kubectl -n kube-system rollout status deployment coredns --timeout=60s
