# score: 100; variants: socket
# A flag is stronger than the file.
set -euo pipefail
ssh worker-1 "sudo sed -i 's#^KUBELET_KUBEADM_ARGS=\"#&--container-runtime-endpoint=unix:///run/containerd/containerd.sock #' /var/lib/kubelet/kubeadm-flags.env; sudo systemctl restart kubelet"
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
