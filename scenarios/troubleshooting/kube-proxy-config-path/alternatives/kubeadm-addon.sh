# score: 100
# Let kubeadm write the add-on again, from the configuration that the cluster was made with.
set -euo pipefail
ssh control-plane sudo kubeadm init phase addon kube-proxy --config /kind/kubeadm.conf
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
