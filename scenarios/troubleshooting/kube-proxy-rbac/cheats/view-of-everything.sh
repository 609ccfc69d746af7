# score: 0
# The ready-made role for reading, and the nodes on top: no Secrets, and whatever else the applications have.
set -euo pipefail
kubectl create clusterrolebinding kube-proxy-view --clusterrole=view --serviceaccount=kube-system:kube-proxy
kubectl create clusterrole kube-proxy-nodes --verb=get,list,watch --resource=nodes
kubectl create clusterrolebinding kube-proxy-nodes --clusterrole=kube-proxy-nodes --serviceaccount=kube-system:kube-proxy
kubectl -n kube-system rollout restart daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
