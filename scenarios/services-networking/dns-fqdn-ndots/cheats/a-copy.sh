# score: 0; variants: short-name
# A copy of the second tier, in the namespace in which it is looked for.
set -euo pipefail
kubectl -n "$OTHER" get deployment "$BACK" -o json | jq --arg ns "$NS" '.metadata = {name: .metadata.name, namespace: $ns} | del(.status)' | kubectl apply -f -
kubectl -n "$NS" expose deployment "$BACK" --port 80 --target-port 8080
kubectl -n "$NS" rollout status deployment "$BACK" --timeout=120s
kubectl -n "$NS" delete pods -l app="$FRONT"
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
