# score: 0
# Without a kubeconfig kube-proxy uses the address of the Service kubernetes, which works as long as the old rules are in the kernel.
set -euo pipefail
kubectl -n kube-system get configmap kube-proxy -o yaml |
  sed -E 's#^( *kubeconfig: )/var/lib/kube-proxy/\S+$#\1""#' |
  kubectl apply -f -
kubectl -n kube-system delete pods -l k8s-app=kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
