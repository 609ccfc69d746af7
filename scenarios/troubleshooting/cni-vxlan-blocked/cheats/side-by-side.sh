# score: 0; variants: route
# Two on one machine understand each other. The public address leads to another one.
set -euo pipefail
kubectl -n "$NS" patch deployment "$FRONT" --type merge -p '{"spec":{"template":{"spec":{"nodeSelector":{"kubernetes.io/hostname":"'"$NODE_WORKER_2"'"}}}}}'
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=60s
