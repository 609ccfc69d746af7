# score: 0; variants: etcd-port
# An etcd that is empty answers too.
ssh control-plane "sudo mkdir -p /var/lib/etcd-new
  sudo sed 's#:2379#:$ETCD#g; s#/var/lib/etcd#/var/lib/etcd-new#g' /etc/kubernetes/manifests/etcd.yaml >/tmp/etcd.yaml
  sudo cp /tmp/etcd.yaml /etc/kubernetes/manifests/etcd.yaml"
for try in $(seq 90); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 && break; sleep 1; done
