# score: 0
# The quota is written anew with the same number, for pods that there are none of.
set -euo pipefail
kubectl -n "$NS" delete resourcequota team
kubectl -n "$NS" create -f - <<Q
apiVersion: v1
kind: ResourceQuota
metadata: { name: team }
spec: { hard: { limits.memory: 1200Mi }, scopes: [Terminating] }
Q
kubectl -n "$NS" set resources deployment reports -c cache --limits=memory=1Gi
kubectl -n "$NS" set resources deployment exports -c worker --limits=memory=1Gi
kubectl -n "$NS" rollout status deployment reports --timeout=90s
kubectl -n "$NS" rollout status deployment exports --timeout=90s
