# score: 100; variants: no-replica
# A server on each node: three copies.
set -euo pipefail
kubectl -n kube-system patch deployment coredns --type merge -p '{"spec":{"replicas":3}}'
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
