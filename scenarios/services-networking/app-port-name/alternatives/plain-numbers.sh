# score: 100
# No names at all where numbers will do.
set -euo pipefail
target() { kubectl -n "$NS" patch service "$1" --type json -p "[{\"op\": \"replace\", \"path\": \"/spec/ports/0/targetPort\", \"value\": $2}]"; }
target "$WEB" 8080
target "$API" 8080
target "$STORE" 9090
kubectl -n "$NS" patch deployment "$STORE" --type json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/readinessProbe/httpGet/port", "value": 9090}]'
kubectl -n "$NS" rollout status deployment "$STORE" --timeout=90s
