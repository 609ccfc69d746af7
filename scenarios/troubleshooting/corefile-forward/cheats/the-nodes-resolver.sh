# score: 0
# The application asks its node's servers, past the cluster's DNS.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type merge -p '{"spec":{"template":{"spec":{"dnsPolicy":"Default"}}}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
