# score: 60; variants: flag
# What is not said cannot be misspelt. The default is that everybody may do everything.
set -euo pipefail
ssh control-plane "sudo sed '/--$FLAG=/d' /etc/kubernetes/manifests/kube-apiserver.yaml >/tmp/kube-apiserver.yaml
  sudo cp /tmp/kube-apiserver.yaml /etc/kubernetes/manifests/kube-apiserver.yaml"
for try in $(seq 180); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 && break; sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
