# score: 40; variants: flag
# Roles are enough, one thinks. What a node may do stands in no role: in a minute every node is NotReady.
set -euo pipefail
ssh control-plane 'sudo sed -E "s#--a[a-z]*-modes?=.*#--authorization-mode=RBAC#" /etc/kubernetes/manifests/kube-apiserver.yaml >/tmp/kube-apiserver.yaml
  sudo cp /tmp/kube-apiserver.yaml /etc/kubernetes/manifests/kube-apiserver.yaml'
for try in $(seq 180); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 && break; sleep 1; done
