# score: 0; variants: etcd-client
# An etcd that asks nobody for a certificate does not mind an old one.
set -euo pipefail
ssh control-plane "sudo sed -E '/--client-cert-auth/d; /--trusted-ca-file=/d' /etc/kubernetes/manifests/etcd.yaml >/tmp/etcd.yaml
  sudo cp /tmp/etcd.yaml /etc/kubernetes/manifests/etcd.yaml"
for try in $(seq 360); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 </dev/null && break; sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
