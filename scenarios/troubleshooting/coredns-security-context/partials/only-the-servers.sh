# score: 80; variants: admission
# The servers meet the strict level. kube-proxy never can.
set -euo pipefail
kubectl -n kube-system patch deployment coredns --type strategic -p '{"spec":{"template":{"spec":{
  "securityContext":{"runAsNonRoot":true,"runAsUser":65532,"seccompProfile":{"type":"RuntimeDefault"}},
  "containers":[{"name":"coredns","securityContext":{"allowPrivilegeEscalation":false}}]}}}}'
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
