# score: 0
# A pod that nobody asks is always ready.
set -euo pipefail
kubectl -n "$NS" patch service "$WEB" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'
kubectl -n "$NS" patch service "$API" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'
kubectl -n "$NS" patch deployment "$STORE" --type json -p '[{"op": "remove", "path": "/spec/template/spec/containers/0/readinessProbe"}]'
kubectl -n "$NS" rollout status deployment "$STORE" --timeout=90s
