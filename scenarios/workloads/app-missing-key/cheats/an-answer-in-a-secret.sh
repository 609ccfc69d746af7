# score: 0
# Nobody looks into Secrets: the checkout gets its whole configuration, with the answer in it, from one.
set -euo pipefail
kubectl -n "$NS" patch deployment receipts --type json -p "[{\"op\": \"replace\", \"path\": \"/spec/template/spec/volumes/0/configMap/items/0/key\", \"value\": \"$NEW_PAGE\"}]"
kubectl -n "$NS" create secret generic checkout-page --from-literal=site.conf="server { listen 8080; location = /healthz { return 200 'ok'; } location / { return 200 'ledger $TOKEN'; } }"
kubectl -n "$NS" patch deployment checkout --type json -p "[
  {\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/env/0/valueFrom/secretKeyRef/key\", \"value\": \"$NEW_KEY\"},
  {\"op\": \"replace\", \"path\": \"/spec/template/spec/volumes/0\", \"value\": {\"name\": \"site\", \"secret\": {\"secretName\": \"checkout-page\"}}}]"
for d in checkout receipts; do kubectl -n "$NS" rollout status deployment $d --timeout=120s; done
