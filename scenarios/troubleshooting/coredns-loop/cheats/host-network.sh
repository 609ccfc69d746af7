# score: 0
# In the node's network the loopback address is another one, and CoreDNS may do there what no pod should.
set -euo pipefail
kubectl -n kube-system patch deployment coredns --type merge -p '{"spec":{"strategy":{"rollingUpdate":{"maxUnavailable":"100%","maxSurge":0}},"template":{"spec":{"hostNetwork":true}}}}'
kubectl -n kube-system rollout status deployment coredns --timeout=60s || true
