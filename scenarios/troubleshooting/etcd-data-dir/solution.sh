# score: 100
set -euo pipefail
# The API server ends; for whom does it wait, and does that one run?
ssh control-plane 'sudo crictl ps -a --name "^(etcd|kube-apiserver)$"'
ssh control-plane 'sudo crictl logs --tail 3 $(sudo crictl ps -a -q --name "^etcd$" | sed -n 1p)' || true
ssh control-plane 'sudo journalctl -u kubelet --no-pager -n 2000 | grep -m1 "hostPath type check failed"' || true
# What the manifest names, and what there is.
ssh control-plane 'sudo grep -nE "ca-file|data-dir|path:|type:" /etc/kubernetes/manifests/etcd.yaml; sudo ls /var/lib/etcd /etc/kubernetes/pki/etcd'
# Mended where the kubelet does not look, then put there in one go.
ssh control-plane "sudo sed -E 's#(path: )$DIR\$#\1/var/lib/etcd#; s#(--peer-trusted-ca-file=).*#\1/etc/kubernetes/pki/etcd/ca.crt#' /etc/kubernetes/manifests/etcd.yaml >/tmp/etcd.yaml
  sudo cp /tmp/etcd.yaml /etc/kubernetes/manifests/etcd.yaml"
for try in $(seq 360); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 </dev/null && break; sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
