# score: 100; variants: capability
# The Deployment remembers how it was.
set -euo pipefail
kubectl -n kube-system rollout undo deployment coredns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
