# score: 100
# kubectl writes kubeconfig files, too. By the control plane's address, which its certificate holds as well.
set -euo pipefail
address=$(kubectl get node "$NODE_CONTROL_PLANE" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
ssh worker-1 sudo cat /etc/kubernetes/kubelet.conf > /tmp/kubelet.conf
cluster=$(kubectl --kubeconfig /tmp/kubelet.conf config view -o jsonpath='{.clusters[0].name}')
kubectl --kubeconfig /tmp/kubelet.conf config set-cluster "$cluster" --server="https://$address:6443"
ssh worker-1 'sudo tee /etc/kubernetes/kubelet.conf >/dev/null' < /tmp/kubelet.conf
ssh worker-1 sudo systemctl restart kubelet
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
