# score: 0; variants: node-resolver
# The one name, in the pods' own hosts file.
set -euo pipefail
address=$(kubectl -n "$OTHER" get service "$BACK" -o jsonpath='{.spec.clusterIP}')
kubectl -n "$NS" patch deployment "$FRONT" --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"hostAliases\":[{\"ip\":\"$address\",\"hostnames\":[\"$BACK.$OTHER.svc.cluster.local\"]}]}}}}"
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
