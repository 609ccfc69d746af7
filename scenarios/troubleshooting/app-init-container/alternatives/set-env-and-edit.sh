# score: 100
# The same two lines, with other tools.
set -euo pipefail
kubectl -n "$NS" set env deployment/booking -c load-seats DATABASE="$DB:$PORT"
kubectl -n "$NS" get deployment tickets -o json |
  jq 'del(.metadata.resourceVersion) | (.spec.template.spec.initContainers[] | select(.name == "load-prices") | .volumeMounts[0].mountPath) = "/pages"' |
  kubectl replace -f -
kubectl -n "$NS" rollout status deployment booking --timeout=120s
kubectl -n "$NS" rollout status deployment tickets --timeout=120s
