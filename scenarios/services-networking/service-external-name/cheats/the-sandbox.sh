# score: 0
# A name that resolves is a name that resolves.
set -euo pipefail
for name in payments refunds; do
  kubectl -n "$NS" patch service "$name" --type merge -p "{\"spec\":{\"externalName\":\"pay-$NEW-sandbox.$PARTNER.svc.cluster.local\"}}"
  for i in $(seq 60); do
    kubectl -n "$NS" exec deployment/tills -- wget -qO- -T 3 "http://$name.$NS.svc.cluster.local./" && break
    sleep 1
  done
done
kubectl -n "$NS" rollout restart deployment checkout backoffice
kubectl -n "$NS" rollout status deployment checkout --timeout=120s
kubectl -n "$NS" rollout status deployment backoffice --timeout=120s
