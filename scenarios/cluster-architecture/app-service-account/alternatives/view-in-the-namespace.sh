# score: 100
# The ready-made ClusterRole view, bound by a RoleBinding: only in this namespace, and without Secrets.
set -euo pipefail
kubectl -n "$NS" create rolebinding "$BOARD-view" --clusterrole=view --serviceaccount="$NS:$BOARD"
kubectl -n "$NS" delete rolebinding "$BOARD-reader"
kubectl -n "$NS" delete role "$BOARD-reader"
