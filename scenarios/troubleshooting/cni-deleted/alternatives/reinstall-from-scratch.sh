# score: 100
# Remove what is left of the add-on, install it whole.
set -euo pipefail
kubectl delete -f ~/kube-flannel.yml --ignore-not-found --timeout=60s
kubectl apply -f ~/kube-flannel.yml
kubectl wait --for=condition=Ready nodes --all --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
