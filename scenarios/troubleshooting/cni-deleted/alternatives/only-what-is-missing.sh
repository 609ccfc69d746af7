# score: 100
# Only the DaemonSet is gone: create just that.
set -euo pipefail
yq 'select(.kind == "DaemonSet")' ~/kube-flannel.yml | kubectl create -f -
kubectl wait --for=condition=Ready nodes --all --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
