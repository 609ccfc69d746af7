# score: 0; variants: pods
# There is room on the other worker, and no press.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type merge -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null},"template":{"spec":{"nodeSelector":{"kubernetes.io/hostname":"'"$NODE_WORKER_1"'"}}}}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
