# score: 0; variants: configuration
# They start on the other worker. There are no negatives.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type merge -p '{"spec":{"template":{"spec":{"nodeSelector":{"kubernetes.io/hostname":"'"$NODE_WORKER_1"'"}}}}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
