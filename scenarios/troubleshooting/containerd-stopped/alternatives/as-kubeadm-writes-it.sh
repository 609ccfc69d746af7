# score: 100; variants: socket
# kubeadm writes the kubelet's configuration anew.
set -euo pipefail
ssh worker-1 sudo kubeadm upgrade node phase kubelet-config
ssh worker-1 sudo systemctl restart kubelet
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
