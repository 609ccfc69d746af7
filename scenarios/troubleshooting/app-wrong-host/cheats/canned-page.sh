# score: 0
# A page that says what the API used to say.
set -euo pipefail
pod=$(kubectl -n "$DATA" get pods -l app="$API" -o jsonpath='{.items[0].metadata.name}')
kubectl -n "$NS" patch configmap site --type merge -p "{\"data\":{\"site.conf\":\"server { listen 8080; location / { return 200 '$pod'; } }\"}}"
kubectl -n "$NS" rollout restart deployment storefront kiosk
kubectl -n "$NS" rollout status deployment storefront --timeout=90s
kubectl -n "$NS" rollout status deployment kiosk --timeout=90s
