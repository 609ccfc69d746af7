# score: 100
# kubeadm writes the kubelet's configuration anew, from the ConfigMap that is meant for every node.
set -euo pipefail
ssh worker-2 sudo kubeadm upgrade node phase kubelet-config
ssh worker-2 sudo systemctl restart kubelet
kubectl wait --for=condition=Ready "node/$NODE_WORKER_2" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
