# score: 100; variants: organisation
# As a new node does it: a bootstrap token, and the cluster approves and signs what the kubelet asks for.
set -euo pipefail
token=$(ssh control-plane 'sudo kubeadm token create 2>/dev/null')
ssh worker-1 "sudo sed -E 's#^( *)client-certificate:.*#\1token: $token#; /client-key:/d' /etc/kubernetes/kubelet.conf | sudo tee /etc/kubernetes/bootstrap-kubelet.conf >/dev/null
  sudo sh -c 'rm -f /etc/kubernetes/kubelet.conf /var/lib/kubelet/pki/kubelet-client*'
  sudo systemctl restart kubelet"
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
ssh worker-1 sudo rm /etc/kubernetes/bootstrap-kubelet.conf
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
