# score: 60; variants: etcd-port
# Let etcd be where the API server asks for it.
set -euo pipefail
ssh control-plane "sudo sed 's#:2379#:$ETCD#g' /etc/kubernetes/manifests/etcd.yaml >/tmp/etcd.yaml
  sudo cp /tmp/etcd.yaml /etc/kubernetes/manifests/etcd.yaml"
for try in $(seq 240); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 && break; sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
