# score: 100
set -euo pipefail
# The scheduler says for each node why it did not take it.
kubectl -n "$NS" describe pods -l app="$APP" | grep FailedScheduling | tail -n 1 || true
kubectl get nodes
kubectl describe node "$NODE_WORKER_2" | grep -E -A1 '^(Taints|Unschedulable)'
# What was closed for the maintenance is opened again: the cordon …
kubectl uncordon "$NODE_WORKER_2"
# … and a taint that somebody has set (those of node.kubernetes.io/ belong to the cluster).
for key in $(kubectl get node "$NODE_WORKER_2" -o json | jq -r '.spec.taints // [] | .[].key | select(startswith("node.kubernetes.io/") | not)'); do
  kubectl taint node "$NODE_WORKER_2" "$key-"
done
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
