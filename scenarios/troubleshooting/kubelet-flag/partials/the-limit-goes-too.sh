# score: 70
# On the other worker all arguments go but one, and nobody restarts it: its limit ends with its next start.
set -euo pipefail
name=${FLAG%%=*}
ssh worker-1 "sudo sed -i -E 's#$name=[^ \"]* ?##' /var/lib/kubelet/kubeadm-flags.env; sudo systemctl restart kubelet"
ssh worker-2 "sudo sed -i -E 's#^KUBELET_KUBEADM_ARGS=.*(--node-ip=[^ \"]*).*#KUBELET_KUBEADM_ARGS=\"\1\"#' /var/lib/kubelet/kubeadm-flags.env"
kubectl wait --for=condition=Ready nodes --all --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
