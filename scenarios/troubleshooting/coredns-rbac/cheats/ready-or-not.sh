# score: 0; variants: role
# Questions go to the servers although they are not ready.
set -euo pipefail
kubectl -n kube-system patch service kube-dns --type merge -p '{"spec":{"publishNotReadyAddresses":true}}'
kubectl -n kube-system patch deployment coredns --type json -p '[{"op":"remove","path":"/spec/template/spec/containers/0/readinessProbe"}]'
kubectl -n kube-system rollout status deployment coredns --timeout=90s
