# score: 50
# People can pay again. Their receipts are still missing.
set -euo pipefail
kubectl -n "$NS" patch deployment checkout -p "{\"spec\": {\"template\": {\"spec\": {\"containers\": [{\"name\": \"checkout\",
  \"env\": [{\"name\": \"LEDGER_KEY\", \"valueFrom\": {\"secretKeyRef\": {\"name\": \"ledger-access\", \"key\": \"$NEW_KEY\"}}}]}]}}}}"
kubectl -n "$NS" rollout status deployment checkout --timeout=120s
