# score: 0; variants: other-zone
# The application alone looks under the other domain.
set -euo pipefail
kubectl -n "$NS" patch deployment "$FRONT" --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"dnsConfig\":{\"searches\":[\"$NS.svc.$ZONE\"]}}}}}"
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=60s || true
