# score: 0; variants: backend
# They start on the other worker. There is no tape library.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type merge -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null},"template":{"spec":{"nodeSelector":{"kubernetes.io/hostname":"'"$NODE_WORKER_1"'"}}}}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
