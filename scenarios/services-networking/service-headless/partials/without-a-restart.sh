# score: 60
# The name is right again. The router looked it up this morning and goes on as it did.
set -euo pipefail
kubectl -n "$NS" delete service "$STORE"
kubectl -n "$NS" create service clusterip "$STORE" --clusterip=None --tcp="$PORT:$PORT"
for i in $(seq 60); do
  [ "$(kubectl -n "$NS" exec deployment/router -c members -- cat /members/list)" = '3 members' ] && break
  sleep 1
done
