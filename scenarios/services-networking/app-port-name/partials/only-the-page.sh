# score: 20
# The page is there again, and what it asks for is not.
set -euo pipefail
kubectl -n "$NS" patch service "$WEB" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'
