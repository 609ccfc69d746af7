# score: 0
# The first tier mounts another configuration, and says what the others would say.
set -euo pipefail
kubectl -n "$NS" patch service "$WEB" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'
kubectl -n "$NS" create configmap web2 --from-literal=default.conf="server { listen 8080; default_type text/plain; location / { return 200 \"$WEB of $NS\\n\"; } location /$API/ { return 200 \"$STORE of $NS\\n\"; } }"
kubectl -n "$NS" patch deployment "$WEB" --type json -p '[{"op":"replace","path":"/spec/template/spec/volumes/0/configMap/name","value":"web2"}]'
kubectl -n "$NS" rollout status deployment "$WEB" --timeout=90s
