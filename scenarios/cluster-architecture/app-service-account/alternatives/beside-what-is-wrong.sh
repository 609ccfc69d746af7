# score: 100
# A second subject, by the account's full user name, and a rule added beside the wrong one.
set -euo pipefail
kubectl -n "$NS" patch rolebinding "$BOARD-reader" --type json -p "[{\"op\":\"add\",\"path\":\"/subjects/-\",\"value\":{\"kind\":\"User\",\"apiGroup\":\"rbac.authorization.k8s.io\",\"name\":\"system:serviceaccount:$NS:$BOARD\"}}]"
kubectl -n "$NS" patch role "$BOARD-reader" --type json -p '[{"op":"add","path":"/rules/-","value":{"apiGroups":["apps"],"resources":["deployments"],"verbs":["get","list"]}}]'
kubectl -n "$NS" delete pod -l app="$BOARD"
kubectl -n "$NS" rollout status deployment "$BOARD" --timeout=90s
