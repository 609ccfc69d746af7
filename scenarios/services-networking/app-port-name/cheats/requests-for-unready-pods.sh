# score: 0
# The Service is told not to mind whether a pod is ready.
set -euo pipefail
kubectl -n "$NS" patch service "$WEB" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'
kubectl -n "$NS" patch service "$API" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'
kubectl -n "$NS" patch service "$STORE" --type merge -p '{"spec": {"publishNotReadyAddresses": true}}'
