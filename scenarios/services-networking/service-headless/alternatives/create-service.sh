# score: 100
# kubectl has a command for it; its selector is app=<name>, which fits.
set -euo pipefail
kubectl -n "$NS" delete service "$STORE"
kubectl -n "$NS" create service clusterip "$STORE" --clusterip=None --tcp="$PORT:$PORT"
for i in $(seq 60); do
  [ "$(kubectl -n "$NS" exec deployment/router -c members -- cat /members/list)" = '3 members' ] && break
  sleep 1
done
kubectl -n "$NS" rollout restart deployment router
kubectl -n "$NS" rollout status deployment router --timeout=120s
