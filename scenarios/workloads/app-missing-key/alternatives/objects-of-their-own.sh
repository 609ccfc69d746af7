# score: 100
# Others may use the new names already: make objects with the keys that these two need, and use those.
set -euo pipefail
kubectl -n "$NS" get secret ledger-access -o json |
  jq '{apiVersion, kind, metadata: {name: "checkout-ledger", namespace: .metadata.namespace}, data: {"access-key": (.data | to_entries[0].value)}}' |
  kubectl apply -f -
kubectl -n "$NS" get configmap receipt-pages -o json |
  jq '{apiVersion, kind, metadata: {name: "receipts-page", namespace: .metadata.namespace}, data: {"index.html": (.data | to_entries[0].value)}}' |
  kubectl apply -f -
kubectl -n "$NS" patch deployment checkout -p '{"spec": {"template": {"spec": {"containers": [{"name": "checkout",
  "env": [{"name": "LEDGER_KEY", "valueFrom": {"secretKeyRef": {"name": "checkout-ledger", "key": "access-key"}}}]}]}}}}'
kubectl -n "$NS" patch deployment receipts --type json -p '[
  {"op": "replace", "path": "/spec/template/spec/volumes/0/configMap", "value": {"name": "receipts-page"}}]'
kubectl -n "$NS" rollout status deployment checkout --timeout=120s
kubectl -n "$NS" rollout status deployment receipts --timeout=120s
