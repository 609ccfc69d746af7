# score: 100
set -euo pipefail
# Pods without a node and without an event: look at those who should have placed them.
kubectl get pods -A -o wide | grep -v Running
kubectl -n kube-system describe pod -l component=kube-scheduler | tail -n 15
# A static pod is mended where it is written down: on the control plane, in the kubelet's directory.
ssh control-plane 'sudo grep -nE "image:|^ *- kube" /etc/kubernetes/manifests/kube-scheduler.yaml'
# The image has the version of its neighbours, the command is the component's name. Changed beside the directory, then put there in one go.
ssh control-plane 'sudo sed -E "s#^( *image: [^ ]*/)[^/:]+(:.*)\$#\1kube-scheduler\2#; s#^( *- )kube-?[a-z]+\$#\1kube-scheduler#" /etc/kubernetes/manifests/kube-scheduler.yaml >/tmp/kube-scheduler.yaml
  sudo cp /tmp/kube-scheduler.yaml /etc/kubernetes/manifests/kube-scheduler.yaml'
# The kubelet does the rest, and the scheduler places what has been waiting.
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
