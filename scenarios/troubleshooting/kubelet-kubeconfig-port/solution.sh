# score: 100
set -euo pipefail
# The kubelet runs. Whom does it call, and what does it hear?
ssh worker-1 systemctl is-active kubelet containerd
ssh worker-1 'sudo journalctl -u kubelet --no-pager -n 300' | grep -m1 'connection refused' || true
# Where does the API server listen? The other worker knows.
ssh worker-2 sudo grep server: /etc/kubernetes/kubelet.conf
ssh worker-1 sudo grep server: /etc/kubernetes/kubelet.conf
# The port that everybody else uses; the file is read once, at the start.
ssh worker-1 "sudo sed -i -E 's#^( *server: https://.*):[0-9]+#\1:6443#' /etc/kubernetes/kubelet.conf"
ssh worker-1 sudo systemctl restart kubelet
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
