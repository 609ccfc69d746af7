# score: 0; variants: capability
# As root, and without the capability as before.
set -euo pipefail
kubectl -n kube-system patch deployment coredns --type strategic -p '{"spec":{"template":{"spec":{"containers":[{"name":"coredns","securityContext":{"runAsUser":0}}]}}}}'
kubectl -n kube-system rollout status deployment coredns --timeout=30s || true
