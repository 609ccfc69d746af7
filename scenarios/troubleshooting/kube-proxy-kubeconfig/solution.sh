# score: 100
set -euo pipefail
# What fails, and why?
kubectl -n kube-system get pods -l k8s-app=kube-proxy -o wide
kubectl -n kube-system logs -l k8s-app=kube-proxy --tail=3 || true
# The ConfigMap holds the kubeconfig under another name than config.conf asks for: restore the path.
kubectl -n kube-system get configmap kube-proxy -o yaml |
  sed -E 's#^( *kubeconfig: )/var/lib/kube-proxy/\S+$#\1/var/lib/kube-proxy/kubeconfig.conf#' |
  kubectl apply -f -
# kube-proxy reads its configuration once, at its start.
kubectl -n kube-system rollout restart daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=90s
