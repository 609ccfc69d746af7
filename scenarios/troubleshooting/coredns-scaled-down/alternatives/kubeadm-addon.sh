# score: 100; variants: no-replica
# The Deployment is thrown away and written again, as kubeadm makes it.
set -euo pipefail
kubectl -n kube-system delete deployment coredns
ssh control-plane sudo kubeadm init phase addon coredns --config /kind/kubeadm.conf
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
