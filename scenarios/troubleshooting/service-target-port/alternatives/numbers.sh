# score: 100
# By number, as the application's own configuration has it.
set -euo pipefail
kubectl -n "$NS" get service "$APP" -o json |
  jq --argjson web "$LISTEN" --argjson metrics "$STATS" \
    '.spec.ports |= map(if .port == 80 then .targetPort = $web else .targetPort = $metrics end)' |
  kubectl apply -f -
