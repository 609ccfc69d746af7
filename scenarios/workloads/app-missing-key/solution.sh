# score: 100
set -euo pipefail
# Two applications, two states: what does each of them wait for?
kubectl -n "$NS" get pods
kubectl -n "$NS" get events | grep -E 'key' | tail -n 4 || true
# The objects are there. Their keys have other names than the pods ask for.
kubectl -n "$NS" describe secret ledger-access
kubectl -n "$NS" describe configmap receipt-pages
# Give the values back under the names that are used; the value itself is never shown.
kubectl -n "$NS" get secret ledger-access -o json |
  jq '.data = {"access-key": (.data | to_entries[0].value)} | {data}' > /tmp/secret.json
kubectl -n "$NS" patch secret ledger-access --patch-file /tmp/secret.json
rm /tmp/secret.json
kubectl -n "$NS" get configmap receipt-pages -o json |
  jq '.data = {"receipt.html": (.data | to_entries[0].value)} | {data}' > /tmp/pages.json
kubectl -n "$NS" patch configmap receipt-pages --patch-file /tmp/pages.json
# A volume that failed is tried again ever more rarely: new pods do not wait for that.
kubectl -n "$NS" rollout restart deployment checkout receipts
kubectl -n "$NS" rollout status deployment checkout --timeout=120s
kubectl -n "$NS" rollout status deployment receipts --timeout=120s
