# score: 0
# The clients ask the partner without the alias.
set -euo pipefail
kubectl -n "$NS" get configmap checkout -o yaml | sed "s#proxy_pass http://[^;]*;#proxy_pass http://pay-$NEW.$PARTNER.svc.cluster.local;#" | kubectl apply -f -
kubectl -n "$NS" get configmap backoffice -o yaml | sed "s#proxy_pass http://[^;]*;#proxy_pass http://refund-$NEW.$PARTNER.svc.cluster.local;#" | kubectl apply -f -
kubectl -n "$NS" rollout restart deployment checkout backoffice
kubectl -n "$NS" rollout status deployment checkout --timeout=120s
kubectl -n "$NS" rollout status deployment backoffice --timeout=120s
