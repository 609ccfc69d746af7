# score: 0
# The name is written into the hosts files of the pods that run at this moment.
set -euo pipefail
address=$(kubectl get node "$NODE_WORKER_2" -o json | jq -r '.status.addresses[] | select(.type == "InternalIP").address' | head -n 1)
for pod in $(kubectl -n "$NS" get pods -o name); do
  kubectl -n "$NS" exec "$pod" -- sh -c "echo '$address $NODE_WORKER_2' >> /etc/hosts"
done
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
