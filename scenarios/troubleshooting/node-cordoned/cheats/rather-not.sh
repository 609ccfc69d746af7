# score: 0; variants: tainted
# Not forbidden any more, only disliked: the pods of the others still end up on the other worker.
set -euo pipefail
kubectl patch node "$NODE_WORKER_2" --type merge -p '{"spec":{"taints":[{"key":"'"$KEY"'","value":"true","effect":"PreferNoSchedule"}]}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
