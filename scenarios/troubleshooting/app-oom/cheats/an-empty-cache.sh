# score: 0
# Nothing runs out of what it does not use.
set -euo pipefail
kubectl -n "$NS" set env deployment/reports -c cache CACHE_SIZE=8Mi
kubectl -n "$NS" set env deployment/exports -c worker HEAP=8Mi
kubectl -n "$NS" rollout status deployment reports --timeout=90s
kubectl -n "$NS" rollout status deployment exports --timeout=90s
