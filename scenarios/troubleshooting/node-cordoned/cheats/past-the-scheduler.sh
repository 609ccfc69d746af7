# score: 0
# Who names the node himself needs no scheduler.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type merge -p '{"spec":{"strategy":{"rollingUpdate":null,"type":"Recreate"},"template":{"spec":{"affinity":null,"tolerations":[{"operator":"Exists"}],"nodeName":"'"$NODE_WORKER_2"'"}}}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
