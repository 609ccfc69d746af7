# score: 0; variants: binding
# The one resource that is talked about most. Services and nodes are still forbidden.
set -euo pipefail
kubectl create clusterrole slices --verb=list,watch --resource=endpointslices.discovery.k8s.io
kubectl create clusterrolebinding slices --clusterrole=slices --serviceaccount=kube-system:kube-proxy
kubectl -n kube-system rollout restart daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
