# score: 0; variants: no-cni
# Placed is not started: without a network a pod gets no further than ContainerCreating.
set -euo pipefail
kubectl -n kube-system patch deployment coredns --type merge -p '{"spec":{"template":{"spec":{"tolerations":[{"operator":"Exists"}]}}}}'
kubectl -n kube-system rollout status deployment coredns --timeout=30s || true
