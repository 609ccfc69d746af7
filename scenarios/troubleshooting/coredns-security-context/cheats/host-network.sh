# score: 0; variants: admission
# The label goes, and the servers move into their nodes' network.
set -euo pipefail
kubectl label namespace kube-system pod-security.kubernetes.io/enforce-
kubectl -n kube-system patch deployment coredns --type strategic -p '{"spec":{"strategy":{"rollingUpdate":{"maxUnavailable":"100%","maxSurge":0}},"template":{"spec":{"hostNetwork":true,"containers":[{"name":"coredns","securityContext":{"allowPrivilegeEscalation":false}}]}}}}'
kubectl -n kube-system rollout status deployment coredns --timeout=60s || true
