# score: 0
# Who asks the pods themselves needs no Service.
set -euo pipefail
pod=$(kubectl -n "$NS" get pods -l app="$APP" -o jsonpath='{.items[0].status.podIP}')
kubectl -n "$NS" get configmap checkout-site -o yaml | sed -E "s#proxy_pass http://[^;]+;#proxy_pass http://$pod:$LISTEN;#" | kubectl apply -f -
kubectl -n "$NS" rollout restart deployment checkout
kubectl -n "$NS" rollout status deployment checkout --timeout=120s
