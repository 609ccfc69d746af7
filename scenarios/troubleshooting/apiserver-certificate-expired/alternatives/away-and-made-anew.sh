# score: 100; variants: serving
# Without the files kubeadm makes them again, with a new key.
set -euo pipefail
ssh control-plane 'sudo mv /etc/kubernetes/pki/apiserver.crt /etc/kubernetes/pki/apiserver.key /root/
  sudo kubeadm init phase certs apiserver --config /kind/kubeadm.conf
  for id in $(sudo crictl ps -q --name "^kube-apiserver$"); do sudo crictl stop --timeout 10 $id; done'
for try in $(seq 180); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 </dev/null && break; sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
