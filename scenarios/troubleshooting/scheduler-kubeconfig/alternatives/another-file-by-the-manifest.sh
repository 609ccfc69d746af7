# score: 100
# Leave the broken file, write a good one beside it and let the manifest name that: the kubelet sees another pod and starts it.
set -euo pipefail
ssh control-plane 'sudo sed -E "s#^( *server: https://.*):[0-9]+\$#\1:6443#" /etc/kubernetes/scheduler.conf | sudo tee /etc/kubernetes/scheduler-new.conf >/dev/null
  sudo chmod 600 /etc/kubernetes/scheduler-new.conf
  sudo sed "s#/etc/kubernetes/scheduler.conf#/etc/kubernetes/scheduler-new.conf#" /etc/kubernetes/manifests/kube-scheduler.yaml >/tmp/kube-scheduler.yaml
  sudo cp /tmp/kube-scheduler.yaml /etc/kubernetes/manifests/kube-scheduler.yaml'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
