# score: 100
# Leave the ConfigMap to its owner: what a container names itself wins over what it takes from there, and the new template rolls out.
set -euo pipefail
kubectl -n "$NS" set env deployment/storefront deployment/kiosk API_HOST="$API.$DATA.svc.cluster.local"
kubectl -n "$NS" rollout status deployment storefront --timeout=120s
kubectl -n "$NS" rollout status deployment kiosk --timeout=120s
