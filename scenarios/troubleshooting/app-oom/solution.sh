# score: 100
set -euo pipefail
# Which container restarts, and how did it end the last time?
kubectl -n "$NS" get pods
kubectl -n "$NS" get pods -o json | jq -r '.items[] | .metadata.name as $pod | .status.containerStatuses[] |
  select(.restartCount > 0) | "\($pod) \(.name) \(.lastState.terminated.reason // "") \(.lastState.terminated.exitCode // "")"'
# What may they have, what do they want, and what has the team left?
kubectl -n "$NS" get deployments -o yaml | grep -E ' memory:| value:'
kubectl -n "$NS" describe quota team
# The cache needs its size and some room for the program itself.
kubectl -n "$NS" set resources deployment reports -c cache --limits=memory=192Mi
# The worker wants more than the team has. It is content with less.
kubectl -n "$NS" set env deployment/exports -c worker HEAP=64Mi
kubectl -n "$NS" rollout status deployment reports --timeout=120s
kubectl -n "$NS" rollout status deployment exports --timeout=120s
