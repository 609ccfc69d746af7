# score: 100; variants: no-cni
# The DaemonSet is gone: create just that.
set -euo pipefail
yq 'select(.kind == "DaemonSet")' ~/kube-flannel.yml | kubectl create -f -
kubectl wait --for=condition=Ready nodes --all --timeout=120s
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
