# score: 100; variants: binding
# The DNS is an add-on of kubeadm, permissions included: let it write them again, then start the servers anew.
set -euo pipefail
ssh control-plane sudo kubeadm init phase addon coredns --config /kind/kubeadm.conf
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
