# score: 0; variants: directive
# The name is written into the pods that run. The next ones do not have it.
set -euo pipefail
for pod in $(kubectl -n "$NS" get pods -l app="$APP" -o name); do
  kubectl -n "$NS" exec "$pod" -- sh -c "echo '$IP $HOST.$ZONE' >>/etc/hosts"
done
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
