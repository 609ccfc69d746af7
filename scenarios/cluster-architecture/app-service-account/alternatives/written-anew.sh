# score: 100
# Let kubectl write both: it knows the group of a resource, and asks for the account by namespace and name.
set -euo pipefail
kubectl -n "$NS" delete role,rolebinding "$BOARD-reader"
kubectl -n "$NS" create role "$BOARD-reader" --verb=list --resource=pods,deployments.apps
kubectl -n "$NS" create rolebinding "$BOARD-reader" --role="$BOARD-reader" --serviceaccount="$NS:$BOARD"
kubectl -n "$NS" rollout restart deployment "$BOARD"
kubectl -n "$NS" rollout status deployment "$BOARD" --timeout=90s
