# score: 50
# Names of the cluster are back. Every other name is given up.
set -euo pipefail
kubectl -n kube-system get configmap coredns -o json |
  jq '.data.Corefile |= sub("forward [^{}\n]+[{][^{}]*[}]"; "") | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
