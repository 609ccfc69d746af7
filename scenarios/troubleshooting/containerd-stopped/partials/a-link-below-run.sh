# score: 60; variants: socket
# Where the kubelet looks is a link to where the runtime listens. The next boot makes /run anew.
set -euo pipefail
ssh worker-1 "sudo mkdir -p $(dirname "$SOCKET") && sudo ln -sf /run/containerd/containerd.sock $SOCKET"
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
