# score: 0
# The address of one of today's pods of the API.
set -euo pipefail
ip=$(kubectl -n "$DATA" get pods -l app="$API" -o jsonpath='{.items[0].status.podIP}')
kubectl -n "$NS" set env deployment/storefront deployment/kiosk API_HOST="$ip" API_PORT=8080
kubectl -n "$NS" rollout status deployment storefront --timeout=120s
kubectl -n "$NS" rollout status deployment kiosk --timeout=120s
