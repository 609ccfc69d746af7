# score: 100
# In the partner's namespace: the old names lead to the new ones, so that nobody else falls into the hole.
set -euo pipefail
kubectl -n "$PARTNER" create service externalname "pay-$OLD" --external-name "pay-$NEW.$PARTNER.svc.cluster.local"
kubectl -n "$PARTNER" create service externalname "refund-$OLD" --external-name "refund-$NEW.$PARTNER.svc.cluster.local"
for name in payments refunds; do
  for i in $(seq 60); do
    kubectl -n "$NS" exec deployment/tills -- wget -qO- -T 3 "http://$name.$NS.svc.cluster.local./" && break
    sleep 1
  done
done
kubectl -n "$NS" delete pods -l 'app in (checkout, backoffice)'
kubectl -n "$NS" rollout status deployment checkout --timeout=120s
kubectl -n "$NS" rollout status deployment backoffice --timeout=120s
