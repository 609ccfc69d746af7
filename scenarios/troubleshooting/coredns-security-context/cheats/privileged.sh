# score: 0; variants: capability
# Whoever may do everything may open port 53, too.
set -euo pipefail
kubectl -n kube-system patch deployment coredns --type strategic -p '{"spec":{"template":{"spec":{"containers":[{"name":"coredns","securityContext":{"privileged":true,"allowPrivilegeEscalation":true}}]}}}}'
kubectl -n kube-system rollout status deployment coredns --timeout=120s
