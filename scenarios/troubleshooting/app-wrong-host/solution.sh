# score: 100
set -euo pipefail
# All pods are green, so ask the tier that says 502 what it misses.
kubectl -n "$NS" get pods -o wide
kubectl -n "$NS" logs deploy/storefront --tail=3
# It cannot resolve the name of the API. Which names are there?
kubectl -n "$DATA" get services
# The name comes from the environment, the environment from a ConfigMap.
kubectl -n "$NS" get configmap settings -o jsonpath='{.data}'; echo
kubectl -n "$NS" patch configmap settings --type merge -p "{\"data\":{\"API_HOST\":\"$API.$DATA.svc.cluster.local\"}}"
# Environment variables are read when a container starts: both front ends need new ones.
kubectl -n "$NS" rollout restart deployment storefront kiosk
kubectl -n "$NS" rollout status deployment storefront --timeout=120s
kubectl -n "$NS" rollout status deployment kiosk --timeout=120s
