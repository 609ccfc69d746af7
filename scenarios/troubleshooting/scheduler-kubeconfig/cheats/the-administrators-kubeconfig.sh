# score: 0
# admin.conf works for me, so it will work for the scheduler.
set -euo pipefail
ssh control-plane 'sudo cp /etc/kubernetes/admin.conf /etc/kubernetes/scheduler.conf
  sudo crictl stop $(sudo crictl ps -q --name "^kube-scheduler$")'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
