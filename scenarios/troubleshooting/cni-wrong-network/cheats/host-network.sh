# score: 0; variants: network
# They start when they need no pod network.
set -euo pipefail
kubectl -n "$NS" scale deployment "$APP" --replicas=1
kubectl -n "$NS" patch deployment "$APP" --type merge -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null},"template":{"spec":{"hostNetwork":true}}}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
