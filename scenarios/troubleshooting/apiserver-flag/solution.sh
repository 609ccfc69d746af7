# score: 100
set -euo pipefail
# No API server, so ask the runtime of the node on which it should run: it ends again and again.
ssh control-plane 'sudo crictl ps -a --name "^kube-apiserver$"'
ssh control-plane 'sudo crictl logs --tail 5 $(sudo crictl ps -a -q --name "^kube-apiserver$" | sed -n 1p)' || true
# Its flags, beside what etcd says of itself.
ssh control-plane 'sudo grep -nE "etcd-servers|a[a-z]*-modes?=" /etc/kubernetes/manifests/kube-apiserver.yaml; sudo grep -n listen-client /etc/kubernetes/manifests/etcd.yaml'
# Mended where the kubelet does not look, then put there in one go.
ssh control-plane 'sudo sed -E "s#--a[a-z]*-modes?=#--authorization-mode=#; s#(--etcd-servers=https://127.0.0.1:).*#\12379#" /etc/kubernetes/manifests/kube-apiserver.yaml >/tmp/kube-apiserver.yaml
  sudo cp /tmp/kube-apiserver.yaml /etc/kubernetes/manifests/kube-apiserver.yaml'
# The kubelet starts the new pod by itself.
for try in $(seq 180); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 && break; sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
