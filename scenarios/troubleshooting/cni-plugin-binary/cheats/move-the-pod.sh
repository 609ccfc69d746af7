# score: 0; variants: not-executable
# It starts on the other worker. There is no scale.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type merge -p '{"spec":{"template":{"spec":{"nodeSelector":{"kubernetes.io/hostname":"'"$NODE_WORKER_1"'"}}}}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
