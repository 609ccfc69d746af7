# score: 100; variants: anti-affinity
# Back to the template of before.
set -euo pipefail
kubectl -n kube-system rollout history deployment coredns
kubectl -n kube-system rollout undo deployment coredns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
