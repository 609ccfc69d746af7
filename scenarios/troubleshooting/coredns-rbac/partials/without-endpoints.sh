# score: 40
# Services only: the servers are told not to follow what stands behind them. They become ready, and no replica has a name.
set -euo pipefail
kubectl create clusterrole dns-services --verb=list,watch --resource=services,namespaces
kubectl create clusterrolebinding dns-services --clusterrole=dns-services --serviceaccount=kube-system:coredns
kubectl -n kube-system get configmap coredns -o json |
  jq '.data.Corefile |= sub("pods insecure"; "pods insecure\n       noendpoints") | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
