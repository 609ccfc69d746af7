# score: 100
# The name in the web server's own configuration.
set -euo pipefail
kubectl -n "$NS" get configmap site -o json | sed "s/@HOST@/$API.$DATA.svc.cluster.local/" | kubectl replace -f -
kubectl -n "$NS" delete pods -l tier=front --wait=false
kubectl -n "$NS" rollout status deployment storefront --timeout=120s
kubectl -n "$NS" rollout status deployment kiosk --timeout=120s
