# score: 80
# All tiers answer, and then somebody "tidies up" the probe of the first one: its rollout is stuck, on a name that nobody has.
set -euo pipefail
kubectl -n "$NS" patch service "$WEB" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'
kubectl -n "$NS" patch service "$API" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'
kubectl -n "$NS" patch deployment "$STORE" --type json -p "[{\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/readinessProbe/httpGet/port\", \"value\": \"$STORE_NAME\"}]"
kubectl -n "$NS" rollout status deployment "$STORE" --timeout=90s
kubectl -n "$NS" patch deployment "$WEB" --type json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/readinessProbe/httpGet/port", "value": "http"}]'
