# score: 100
set -euo pipefail
# False: the node says what it misses. Unknown: it says nothing, and must be asked on the spot.
kubectl describe node "$NODE_WORKER_1" | grep -E '^ *Ready' || true
ssh worker-1 systemctl is-active kubelet containerd || true
ssh worker-1 systemctl is-enabled kubelet containerd || true
# Where does the kubelet look for its runtime, here and where all is well?
for node in worker-1 worker-2; do
  ssh $node sudo grep containerRuntimeEndpoint /var/lib/kubelet/config.yaml
done
# 1. The runtime runs, now and after every boot.
ssh worker-1 sudo systemctl enable --now containerd
# 2. The kubelet looks for it where it listens.
if ! ssh worker-1 "sudo grep -q '^containerRuntimeEndpoint: .*/run/containerd/containerd.sock' /var/lib/kubelet/config.yaml"; then
  ssh worker-1 "sudo sed -i -E 's#^(containerRuntimeEndpoint:).*#\1 unix:///run/containerd/containerd.sock#' /var/lib/kubelet/config.yaml"
  ssh worker-1 sudo systemctl restart kubelet
fi
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
