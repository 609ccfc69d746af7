# score: 100
set -euo pipefail
# What do clients hear, and does the API server stay?
kubectl get nodes --request-timeout=5s 2>&1 </dev/null | tail -n 1 || true
ssh control-plane 'sudo crictl ps -a --name "^kube-apiserver$"'
ssh control-plane 'sudo crictl logs --tail 5 $(sudo crictl ps -a -q --name "^kube-apiserver$" | sed -n 1p)' || true
# Which certificate has run out?
ssh control-plane 'sudo kubeadm certs check-expiration --config /kind/kubeadm.conf 2>/dev/null || sudo kubeadm certs check-expiration' || true
# kubeadm renews it with all its names; the cluster's authorities lie beside it.
for name in apiserver apiserver-etcd-client; do
  ssh control-plane sudo openssl x509 -noout -checkend 0 -in /etc/kubernetes/pki/$name.crt ||
    ssh control-plane sudo kubeadm certs renew $name --config /kind/kubeadm.conf
done
# Begin anew with it, wherever the last start has got to.
ssh control-plane 'for id in $(sudo crictl ps -q --name "^kube-apiserver$"); do sudo crictl stop --timeout 10 $id; done'
for try in $(seq 360); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 </dev/null && break; sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
