# score: 100; variants: kubelet
# The cluster remembers the kubelets' configuration: let kubeadm write it again.
set -euo pipefail
for node in control-plane worker-1 worker-2; do
  ssh $node 'sudo kubeadm upgrade node phase kubelet-config && sudo systemctl restart kubelet'
done
kubectl -n "$NS" rollout restart daemonset "$AGENT"
kubectl -n kube-system rollout restart deployment coredns
kubectl -n "$NS" rollout status daemonset "$AGENT" --timeout=90s
kubectl -n kube-system rollout status deployment coredns --timeout=120s
