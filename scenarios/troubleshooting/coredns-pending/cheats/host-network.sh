# score: 0; variants: node-selector
# Anywhere, whatever the nodes say, and in the nodes' own network.
set -euo pipefail
kubectl -n kube-system patch deployment coredns --type merge -p '{"spec":{"template":{"spec":{"hostNetwork":true,"nodeSelector":null,"tolerations":[{"operator":"Exists"}]}}}}'
kubectl -n kube-system rollout status deployment coredns --timeout=60s || true
