# score: 50
# The cache fits. For the worker a higher limit was tried too, and it does not fit into the quota.
set -euo pipefail
kubectl -n "$NS" set resources deployment reports -c cache --limits=memory=192Mi
kubectl -n "$NS" rollout status deployment reports --timeout=120s
kubectl -n "$NS" set resources deployment exports -c worker --limits=memory=700Mi
