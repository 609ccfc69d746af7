# score: 80; variants: command
# A copy that works, and the one that fails stays where it is.
set -euo pipefail
ssh control-plane 'sudo sed -E "s#^( *image: [^ ]*/)[^/:]+(:.*)\$#\1kube-scheduler\2#; s#^( *- )kube-?[a-z]+\$#\1kube-scheduler#; s#^  name: kube-scheduler\$#  name: kube-scheduler-hotfix#" /etc/kubernetes/manifests/kube-scheduler.yaml >/tmp/hotfix.yaml
  sudo cp /tmp/hotfix.yaml /etc/kubernetes/manifests/hotfix.yaml'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
