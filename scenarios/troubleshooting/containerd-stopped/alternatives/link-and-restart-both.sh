# score: 100; variants: stopped
# The link that a boot follows, by hand, and both services anew in the order in which a boot starts them.
set -euo pipefail
ssh worker-1 'sudo ln -s /etc/systemd/system/containerd.service /etc/systemd/system/multi-user.target.wants/containerd.service
  sudo systemctl daemon-reload
  sudo systemctl start containerd
  sudo systemctl restart kubelet'
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
