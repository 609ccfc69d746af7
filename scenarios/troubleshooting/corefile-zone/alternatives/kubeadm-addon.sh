# score: 100; variants: no-block
# kubeadm keeps a Corefile that it finds. Where there is none, it writes the one that a new cluster gets.
set -euo pipefail
kubectl -n kube-system get configmap coredns -o yaml > /tmp/coredns-before.yaml
kubectl -n kube-system delete configmap coredns
ssh control-plane sudo kubeadm init phase addon coredns --config /kind/kubeadm.conf
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
