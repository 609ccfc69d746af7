# score: 0
# Only the storefront is mended, and the kiosk's Service leads to its pods.
set -euo pipefail
kubectl -n "$NS" patch configmap settings --type merge -p "{\"data\":{\"API_HOST\":\"$API.$DATA.svc.cluster.local\"}}"
kubectl -n "$NS" rollout restart deployment storefront
kubectl -n "$NS" rollout status deployment storefront --timeout=120s
kubectl -n "$NS" patch service kiosk --type merge -p '{"spec":{"selector":{"app":"storefront"}}}'
