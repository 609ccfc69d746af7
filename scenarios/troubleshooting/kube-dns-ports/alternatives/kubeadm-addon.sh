# score: 100; variants: target-port
# The DNS is an add-on of kubeadm: let it write the objects again, from the configuration that the cluster was made with.
set -euo pipefail
ssh control-plane sudo kubeadm init phase addon coredns --config /kind/kubeadm.conf
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
