# score: 100; variants: short-name
# The short name gets a meaning in this namespace, and the application stays as it is.
set -euo pipefail
kubectl -n "$NS" create service externalname "$BACK" --external-name "$BACK.$OTHER.svc.cluster.local"
kubectl -n "$NS" delete pods -l app="$FRONT"
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
if [ -z "$TAIL" ]; then first=2; else first=3; fi
echo "$first 1" > ~/questions.txt
