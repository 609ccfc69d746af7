# score: 100
# The sizes are written where they are used.
set -euo pipefail
size=$(kubectl -n "$NS" get deployment reports -o jsonpath='{.spec.template.spec.containers[1].env[0].value}')
kubectl -n "$NS" get deployment reports -o json |
  jq --arg size "$size" 'del(.metadata.resourceVersion) | .spec.template.spec.containers[1] |= (.args[1] = "--mem-total=" + $size | .resources.limits.memory = "160Mi")' |
  kubectl apply -f -
kubectl -n "$NS" get deployment exports -o json |
  jq 'del(.metadata.resourceVersion) | .spec.template.spec.containers[1] |= (.args[1] = "--mem-total=100M" | .resources.limits.memory = "160Mi")' |
  kubectl apply -f -
kubectl -n "$NS" rollout status deployment reports --timeout=120s
kubectl -n "$NS" rollout status deployment exports --timeout=120s
