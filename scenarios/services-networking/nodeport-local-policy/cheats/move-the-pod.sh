# score: 0
# The node that was complained about answers. Now it is the other one that does not.
set -euo pipefail
kubectl label node "$NODE_WORKER_2" "$LABEL=true"
kubectl label node "$NODE_WORKER_1" "$LABEL-"
for i in $(seq 60); do
  [ "$(kubectl -n "$NS" get pods -l app="$APP" -o jsonpath='{.items[*].spec.nodeName}')" = "$NODE_WORKER_2" ] && break
  sleep 1
done
kubectl -n "$NS" rollout status daemonset "$APP" --timeout=120s
