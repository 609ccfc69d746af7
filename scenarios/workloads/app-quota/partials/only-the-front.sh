# score: 50
# The page is there again, what it fetches is not.
set -euo pipefail
kubectl -n "$NS" set resources deployment "$FRONT" -c web --requests=cpu=200m,memory=32Mi
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
