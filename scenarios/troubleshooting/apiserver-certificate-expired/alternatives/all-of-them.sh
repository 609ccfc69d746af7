# score: 100; variants: etcd-client
# All at once, as the documentation has it, and the manifest out and in again.
set -euo pipefail
ssh control-plane 'sudo kubeadm certs renew all --config /kind/kubeadm.conf
  sudo mv /etc/kubernetes/manifests/kube-apiserver.yaml /root/
  for try in $(seq 60); do [ -z "$(sudo crictl ps -q --name "^kube-apiserver$")" ] && break; sleep 1; done
  sudo mv /root/kube-apiserver.yaml /etc/kubernetes/manifests/'
for try in $(seq 180); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 </dev/null && break; sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
