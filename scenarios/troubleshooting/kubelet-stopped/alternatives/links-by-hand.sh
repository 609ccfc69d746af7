# score: 100
# What systemctl does, done by hand: no link to /dev/null, one below the target that every boot goes to.
set -euo pipefail
ssh worker-2 'if [ "$(readlink /etc/systemd/system/kubelet.service)" = /dev/null ]; then sudo rm /etc/systemd/system/kubelet.service; fi
  unit=/etc/systemd/system/kubelet.service
  [ -e $unit ] || unit=/usr/lib/systemd/system/kubelet.service
  sudo ln -sf $unit /etc/systemd/system/multi-user.target.wants/kubelet.service
  sudo systemctl daemon-reload
  sudo systemctl restart kubelet'
kubectl wait --for=condition=Ready "node/$NODE_WORKER_2" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
