# score: 100
set -euo pipefail
# What does the node itself say?
kubectl get nodes
kubectl describe node | grep -m1 'network not ready' || true
kubectl get daemonsets -A
# The network add-on is gone; its manifest is at hand.
kubectl apply -f ~/kube-flannel.yml
kubectl -n kube-flannel rollout status daemonset kube-flannel-ds --timeout=120s
kubectl wait --for=condition=Ready nodes --all --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
