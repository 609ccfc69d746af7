# score: 0; variants: node-selector
# The one name that the shop needs, in its own hosts file.
set -euo pipefail
address=$(kubectl -n "$NS" get service "$BACK" -o jsonpath='{.spec.clusterIP}')
kubectl -n "$NS" patch deployment "$FRONT" --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"hostAliases\":[{\"ip\":\"$address\",\"hostnames\":[\"$BACK\"]}]}}}}"
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=60s || true
