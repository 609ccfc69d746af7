# score: 0
# The key as plain text, where everybody who may look at Deployments can read it.
set -euo pipefail
key=$(kubectl -n "$NS" get secret ledger-access -o json | jq -r '.data | to_entries[0].value | @base64d')
kubectl -n "$NS" patch deployment checkout --type json -p "[
  {\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/env/0\", \"value\": {\"name\": \"LEDGER_KEY\", \"value\": \"$key\"}}]"
kubectl -n "$NS" rollout status deployment checkout --timeout=90s
