# score: 0
# The web servers answer /echo themselves.
set -euo pipefail
kubectl -n "$NS" patch configmap site --type merge -p '{"data":{"site.conf":"server { listen 8080; location = /healthz { return 200 ok; } location / { return 200 \"$arg_msg\"; } }"}}'
kubectl -n "$NS" rollout restart deployment storefront kiosk
kubectl -n "$NS" rollout status deployment storefront --timeout=90s
kubectl -n "$NS" rollout status deployment kiosk --timeout=90s
