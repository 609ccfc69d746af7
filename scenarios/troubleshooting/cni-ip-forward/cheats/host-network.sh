# score: 0; variants: tunnel
# What borrows the node's network needs nobody to hand its packets on.
set -euo pipefail
kubectl -n "$NS" scale deployment "$APP" --replicas=1
kubectl -n "$NS" patch deployment "$APP" --type merge -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null},"template":{"spec":{"hostNetwork":true}}}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
