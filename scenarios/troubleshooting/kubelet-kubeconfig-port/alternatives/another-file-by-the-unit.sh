# score: 100
# Leave the broken file, write a good one beside it and let the service name that.
set -euo pipefail
ssh worker-1 "sudo sed -E 's#^( *server: https://.*):[0-9]+#\1:6443#' /etc/kubernetes/kubelet.conf | sudo tee /etc/kubernetes/kubelet-new.conf >/dev/null
  sudo sed -i 's#--kubeconfig=/etc/kubernetes/kubelet.conf#--kubeconfig=/etc/kubernetes/kubelet-new.conf#' /etc/systemd/system/kubelet.service.d/10-kubeadm.conf
  sudo systemctl daemon-reload
  sudo systemctl restart kubelet"
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
