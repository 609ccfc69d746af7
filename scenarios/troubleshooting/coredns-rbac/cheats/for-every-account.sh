# score: 0; variants: binding
# The right permissions, for every account that there is.
set -euo pipefail
kubectl create clusterrole dns-reader --verb=list,watch --resource=services,namespaces,endpointslices.discovery.k8s.io
kubectl create clusterrolebinding dns-reader --clusterrole=dns-reader --group=system:serviceaccounts
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
