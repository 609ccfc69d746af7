# score: 70; variants: capability
# Without any security context it works, with all that a container usually has.
set -euo pipefail
kubectl -n kube-system patch deployment coredns --type json -p '[{"op":"remove","path":"/spec/template/spec/containers/0/securityContext"},{"op":"replace","path":"/spec/template/spec/securityContext","value":{}}]'
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
