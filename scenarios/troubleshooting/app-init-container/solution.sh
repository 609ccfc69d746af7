# score: 100
set -euo pipefail
# Init:… says that the servers have not been created yet: look at the steps before them.
kubectl -n "$NS" get pods
kubectl -n "$NS" logs deploy/booking -c load-seats --tail=2 || true
kubectl -n "$NS" logs deploy/tickets -c load-prices --tail=2 || true
# Booking asks for a port that the Service does not have.
kubectl -n "$NS" get service "$DB"
kubectl -n "$NS" patch deployment booking -p "{\"spec\": {\"template\": {\"spec\": {\"initContainers\": [{\"name\": \"load-seats\",
  \"env\": [{\"name\": \"DATABASE\", \"value\": \"$DB:$PORT\"}]}]}}}}"
# Tickets writes to /pages, and the volume is mounted elsewhere.
kubectl -n "$NS" get deployment tickets -o jsonpath='{.spec.template.spec.initContainers[1].volumeMounts}'; echo
kubectl -n "$NS" patch deployment tickets --type json -p '[
  {"op": "replace", "path": "/spec/template/spec/initContainers/1/volumeMounts/0/mountPath", "value": "/pages"}]'
kubectl -n "$NS" rollout status deployment booking --timeout=120s
kubectl -n "$NS" rollout status deployment tickets --timeout=120s
