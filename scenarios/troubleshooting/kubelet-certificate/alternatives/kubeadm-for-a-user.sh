# score: 100; variants: expired
# The way of kubeadm's troubleshooting page: the old ones away, a kubeconfig from the control plane, and the kubelet asks for a certificate of its own with it.
set -euo pipefail
ssh control-plane "sudo kubeadm kubeconfig user --config /kind/kubeadm.conf --org system:nodes --client-name system:node:$NODE_WORKER_1 2>/dev/null" >/tmp/kubelet.conf
ssh worker-1 'cat >/tmp/kubelet.conf
  sudo mkdir -p /root/old; sudo sh -c "mv /etc/kubernetes/kubelet.conf /var/lib/kubelet/pki/kubelet-client* /root/old/"
  sudo install -m 600 /tmp/kubelet.conf /etc/kubernetes/kubelet.conf; rm /tmp/kubelet.conf
  sudo systemctl restart kubelet' </tmp/kubelet.conf
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
for try in $(seq 60); do ssh worker-1 sudo test -e /var/lib/kubelet/pki/kubelet-client-current.pem && break; sleep 1; done
ssh worker-1 'sudo sed -i -E "s#client-(certificate|key)-data: .*#client-\1: /var/lib/kubelet/pki/kubelet-client-current.pem#" /etc/kubernetes/kubelet.conf; sudo systemctl restart kubelet'
sleep 5
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
