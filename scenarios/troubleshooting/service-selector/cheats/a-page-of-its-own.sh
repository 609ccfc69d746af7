# score: 0
# The storefront needs nobody if it makes up the answer.
set -euo pipefail
kubectl -n "$NS" patch configmap storefront-site --type merge -p "{\"data\":{\"default.conf\":\"server { listen 80; location / { return 200 \\\"$APP answered by $APP-1\\\"; } }\\n\"}}"
kubectl -n "$NS" rollout restart deployment storefront
kubectl -n "$NS" rollout status deployment storefront --timeout=120s
