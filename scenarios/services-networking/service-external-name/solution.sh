# score: 100
set -euo pipefail
# What did they not find?
kubectl -n "$NS" logs deployment/checkout --tail=2 || true
# Aliases: to which names, and are these there?
kubectl -n "$NS" get services
kubectl -n "$PARTNER" get services
# Let them lead to the partner's new names. Not to the sandbox, which only pretends.
kubectl -n "$NS" patch service payments --type merge -p "{\"spec\":{\"externalName\":\"pay-$NEW.$PARTNER.svc.cluster.local\"}}"
kubectl -n "$NS" patch service refunds --type merge -p "{\"spec\":{\"externalName\":\"refund-$NEW.$PARTNER.svc.cluster.local\"}}"
# See that the names lead somewhere; a cache on the way may still remember that there was nothing.
for name in payments refunds; do
  for i in $(seq 60); do
    kubectl -n "$NS" exec deployment/tills -- wget -qO- -T 3 "http://$name.$NS.svc.cluster.local./" && break
    sleep 1
  done
done
# Don't wait for the end of the back-off: start the applications now.
kubectl -n "$NS" rollout restart deployment checkout backoffice
kubectl -n "$NS" rollout status deployment checkout --timeout=120s
kubectl -n "$NS" rollout status deployment backoffice --timeout=120s
