# score: 0
# The key as plain text again, only in another drawer.
set -euo pipefail
key=$(kubectl -n "$NS" get secret ledger-access -o json | jq -r '.data | to_entries[0].value | @base64d')
kubectl -n "$NS" get configmap checkout-site -o json | jq --arg key "$key" '.data["site.conf"] |= sub("@KEY@"; $key) | {data}' > /tmp/patch.json
kubectl -n "$NS" patch configmap checkout-site --patch-file /tmp/patch.json
kubectl -n "$NS" patch deployment checkout --type json -p '[{"op": "remove", "path": "/spec/template/spec/containers/0/env"}]'
kubectl -n "$NS" rollout status deployment checkout --timeout=90s
