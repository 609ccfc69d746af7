# score: 100; variants: binding
# Let kubeadm write the add-on again, its binding included.
set -euo pipefail
ssh control-plane sudo kubeadm init phase addon kube-proxy --config /kind/kubeadm.conf
kubectl -n kube-system delete pods -l k8s-app=kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
