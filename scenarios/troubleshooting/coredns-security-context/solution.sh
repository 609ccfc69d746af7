# score: 100
set -euo pipefail
# Are there pods, and what is refused?
kubectl -n kube-system get deployment,replicaset,pods -l k8s-app=kube-dns
kubectl -n kube-system logs -l k8s-app=kube-dns --tail=2 || true
kubectl -n kube-system get events --field-selector reason=FailedCreate | tail -n 2
kubectl get namespace kube-system --show-labels
# No strict level for the namespace of the cluster's own pods; one capability, and no way to more.
kubectl label namespace kube-system pod-security.kubernetes.io/enforce-
kubectl -n kube-system patch deployment coredns --type strategic -p '{"spec":{"template":{"spec":{
  "securityContext":{"sysctls":null},
  "containers":[{"name":"coredns","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"],"add":["NET_BIND_SERVICE"]}}}]}}}}'
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
