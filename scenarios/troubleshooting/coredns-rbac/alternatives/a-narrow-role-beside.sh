# score: 100; variants: role
# What is missing and nothing else, as a role and a binding of their own.
set -euo pipefail
kubectl create clusterrole dns-reader --verb=list,watch --resource=services,namespaces,endpointslices.discovery.k8s.io
kubectl create clusterrolebinding dns-reader --clusterrole=dns-reader --serviceaccount=kube-system:coredns
kubectl -n kube-system rollout restart deployment coredns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
