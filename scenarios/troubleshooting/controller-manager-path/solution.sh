# score: 100
set -euo pipefail
# The wish is written down (generation), and nobody has read it (observedGeneration): that is the controller manager's work.
kubectl -n "$NS" get deployment "$APP" -o jsonpath='{.metadata.generation} {.status.observedGeneration}{"\n"}'
kubectl -n kube-system get pods -l component=kube-controller-manager
# Its last words name a file.
kubectl -n kube-system logs -l component=kube-controller-manager --tail=3 || true
ssh control-plane 'sudo grep -nE "pki|path:" /etc/kubernetes/manifests/kube-controller-manager.yaml; sudo ls /etc/kubernetes/pki'
# What the flags name must be a file of this directory, and this directory must be what is mounted there.
ssh control-plane 'sudo sed -E "s#^( *- --service-account-private-key-file=).*#\1/etc/kubernetes/pki/sa.key#" /etc/kubernetes/manifests/kube-controller-manager.yaml >/tmp/manifest.yaml
  line=$(grep -n "^ *name: k8s-certs" /tmp/manifest.yaml | tail -n 1 | cut -d: -f1)
  sed -i -E "$((line - 3)),${line}s#^( *path: ).*#\1/etc/kubernetes/pki#" /tmp/manifest.yaml
  sudo diff /etc/kubernetes/manifests/kube-controller-manager.yaml /tmp/manifest.yaml
  sudo cp /tmp/manifest.yaml /etc/kubernetes/manifests/kube-controller-manager.yaml'
# The controllers catch up by themselves.
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
for try in $(seq 60); do [ -n "$(kubectl -n "$NS" get secret "$ROBOT-branch" -o jsonpath='{.data.token}')" ] && break; sleep 1; done
