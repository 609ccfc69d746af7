# score: 40
# Two tiers answer; behind them nobody does.
set -euo pipefail
kubectl -n "$NS" patch service "$WEB" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'
kubectl -n "$NS" patch service "$API" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'
