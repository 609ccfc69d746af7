# score: 0
# The configuration stays as it is. The checkout only reads another one.
set -euo pipefail
pod=$(kubectl -n "$NS" get pods -l app="$APP" -o jsonpath='{.items[0].status.podIP}')
kubectl -n "$NS" get configmap checkout-site -o json | jq --arg to "http://$pod:$LISTEN;" '{apiVersion,kind,metadata:{name:"checkout-site-2",namespace:.metadata.namespace},data:(.data|map_values(gsub("http://[^;]+;";$to)))}' | kubectl apply -f -
kubectl -n "$NS" patch deployment checkout --type json -p '[{"op":"replace","path":"/spec/template/spec/volumes/0/configMap/name","value":"checkout-site-2"}]'
kubectl -n "$NS" rollout status deployment checkout --timeout=120s
