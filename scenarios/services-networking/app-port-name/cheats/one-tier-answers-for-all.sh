# score: 0
# The first tier knows what the others would have said.
set -euo pipefail
kubectl -n "$NS" patch service "$WEB" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'
kubectl -n "$NS" get configmap "$WEB" -o json |
  jq --arg api "$API" --arg store "$STORE" --arg ns "$NS" '.data["default.conf"] = "server {\n  listen 8080;\n  location / { default_type text/plain; return 200 \"\(env.WEB) of \($ns)\\n\"; }\n  location /\($api)/ { default_type text/plain; return 200 \"\($store) of \($ns)\\n\"; }\n}\n"' |
  kubectl apply -f -
kubectl -n "$NS" rollout restart deployment "$WEB"
kubectl -n "$NS" rollout status deployment "$WEB" --timeout=90s
