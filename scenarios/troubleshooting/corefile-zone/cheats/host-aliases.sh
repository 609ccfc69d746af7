# score: 0; variants: other-zone
# The one name that the shop needs, written into its pods.
set -euo pipefail
ip=$(kubectl -n "$NS" get service "$BACK" -o jsonpath='{.spec.clusterIP}')
kubectl -n "$NS" patch deployment "$FRONT" --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"hostAliases\":[{\"ip\":\"$ip\",\"hostnames\":[\"$BACK\"]}]}}}}"
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
