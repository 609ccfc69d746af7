# score: 0; variants: role
# More than reading: the rule for what is missing says "everything" for these kinds.
set -euo pipefail
kubectl create clusterrole dns-all --verb='*' --resource=services,namespaces,pods,endpoints,endpointslices.discovery.k8s.io
kubectl create clusterrolebinding dns-all --clusterrole=dns-all --serviceaccount=kube-system:coredns
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
