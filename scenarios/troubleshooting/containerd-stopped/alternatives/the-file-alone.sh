# score: 100; variants: socket
# Nobody restarts anything: a kubelet that ends at its start is started by systemd again and again, and reads the file each time.
set -euo pipefail
ssh worker-1 "sudo sed -i -E 's#^(containerRuntimeEndpoint:).*#\1 unix:///run/containerd/containerd.sock#' /var/lib/kubelet/config.yaml"
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
