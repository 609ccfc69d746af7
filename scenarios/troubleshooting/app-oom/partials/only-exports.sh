# score: 50
# The worker wants less. The cache was given more, and not enough: its own program needs memory too.
set -euo pipefail
kubectl -n "$NS" set env deployment/exports -c worker HEAP=72Mi
kubectl -n "$NS" set resources deployment reports -c cache --limits=memory=80Mi
kubectl -n "$NS" rollout status deployment exports --timeout=120s
