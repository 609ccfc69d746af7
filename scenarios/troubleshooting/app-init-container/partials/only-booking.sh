# score: 50
# Seats can be booked. Nobody gets a ticket.
set -euo pipefail
kubectl -n "$NS" set env deployment/booking -c load-seats DATABASE="$DB:$PORT"
kubectl -n "$NS" rollout status deployment booking --timeout=120s
