# score: 100
# Write the Service of the first tier anew, in the short way: what others call is its name and its port.
set -euo pipefail
kubectl -n "$NS" delete service "$WEB"
kubectl -n "$NS" create service clusterip "$WEB" --tcp="$PORT:8080"
kubectl -n "$NS" patch service "$API" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'
kubectl -n "$NS" patch deployment "$STORE" --type json -p "[{\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/readinessProbe/httpGet/port\", \"value\": \"$STORE_NAME\"}]"
kubectl -n "$NS" rollout status deployment "$STORE" --timeout=90s
