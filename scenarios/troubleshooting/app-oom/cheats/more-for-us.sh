# score: 0
# Whatever they want, at the cost of the other teams.
set -euo pipefail
kubectl -n "$NS" patch resourcequota team --type merge -p '{"spec": {"hard": {"limits.memory": "8Gi"}}}'
kubectl -n "$NS" set resources deployment reports -c cache --limits=memory=1Gi
kubectl -n "$NS" set resources deployment exports -c worker --limits=memory=1Gi
kubectl -n "$NS" rollout status deployment reports --timeout=90s
kubectl -n "$NS" rollout status deployment exports --timeout=90s
