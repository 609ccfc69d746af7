# score: 100
set -euo pipefail
# What does not run, and what does it say?
kubectl -n kube-system get pods -l k8s-app=kube-proxy -o wide
kubectl -n kube-system logs -l k8s-app=kube-proxy --tail=2 || true
kubectl -n kube-system get configmap kube-proxy -o jsonpath='{.data.config\.conf}' | grep -E '^mode|scheduler'
# The mode that works everywhere; all other settings stay.
kubectl -n kube-system get configmap kube-proxy -o yaml |
  sed -E -e 's/^( *)mode: .*/\1mode: iptables/' -e 's/^( *)scheduler: .*/\1scheduler: ""/' |
  kubectl apply -f -
kubectl -n kube-system rollout restart daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
