# score: 0; variants: configurations
# They start on the other worker. There is no scanner.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type merge -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null},"template":{"spec":{"nodeSelector":{"kubernetes.io/hostname":"'"$NODE_WORKER_2"'"}}}}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
