# score: 0
# Right for the board, and a present for all of the shop's users: every other account gets everything.
set -euo pipefail
kubectl -n "$NS" patch rolebinding "$BOARD-reader" --type merge -p "{\"subjects\": [{\"kind\": \"ServiceAccount\", \"name\": \"$BOARD\", \"namespace\": \"$NS\"},{\"kind\": \"Group\", \"apiGroup\": \"rbac.authorization.k8s.io\", \"name\": \"system:serviceaccounts:kube-system\"},{\"kind\": \"ServiceAccount\", \"name\": \"default\", \"namespace\": \"default\"}]}"
kubectl -n "$NS" patch role "$BOARD-reader" --type merge -p '{"rules": [
  {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
  {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "watch"]}]}'
kubectl auth can-i list pods -n "$NS" --as=system:serviceaccount:default:default
