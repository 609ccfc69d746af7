# score: 100; variants: host-path
# kubeadm wrote this manifest from a configuration that still lies on the node.
set -euo pipefail
ssh control-plane 'sudo kubeadm init phase control-plane controller-manager --config /kind/kubeadm.conf'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
