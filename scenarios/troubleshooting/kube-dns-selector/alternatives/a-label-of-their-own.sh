# score: 100
# The Service and the template of the Deployment agree on a label of their own.
set -euo pipefail
kubectl -n kube-system patch service kube-dns --type json -p '[{"op":"replace","path":"/spec/selector","value":{"dns":"cluster"}}]'
kubectl -n kube-system patch deployment coredns --type merge -p '{"spec":{"template":{"metadata":{"labels":{"dns":"cluster"}}}}}'
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
