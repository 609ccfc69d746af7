# score: 0; variants: protocol
# The one application asks over TCP, which works.
set -euo pipefail
kubectl -n "$NS" patch deployment "$FRONT" --type merge -p '{"spec":{"template":{"spec":{"dnsConfig":{"options":[{"name":"use-vc"}]}}}}}'
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=60s || true
