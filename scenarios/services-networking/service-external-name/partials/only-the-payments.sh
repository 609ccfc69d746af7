# score: 60
# Money comes in again. Nobody tried to give some back.
set -euo pipefail
kubectl -n "$NS" patch service payments --type merge -p "{\"spec\":{\"externalName\":\"pay-$NEW.$PARTNER.svc.cluster.local\"}}"
for i in $(seq 60); do
  kubectl -n "$NS" exec deployment/tills -- wget -qO- -T 3 "http://payments.$NS.svc.cluster.local./" && break
  sleep 1
done
kubectl -n "$NS" rollout restart deployment checkout
kubectl -n "$NS" rollout status deployment checkout --timeout=120s
