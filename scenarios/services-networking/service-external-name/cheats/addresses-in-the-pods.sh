# score: 0
# The partner's addresses of tonight, written into the clients' pods.
set -euo pipefail
pay=$(kubectl -n "$PARTNER" get service "pay-$NEW" -o jsonpath='{.spec.clusterIP}')
refund=$(kubectl -n "$PARTNER" get service "refund-$NEW" -o jsonpath='{.spec.clusterIP}')
for name in checkout backoffice; do
  kubectl -n "$NS" patch deployment "$name" --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"hostAliases\":[
    {\"ip\":\"$pay\",\"hostnames\":[\"payments.$NS.svc.cluster.local\"]},{\"ip\":\"$refund\",\"hostnames\":[\"refunds.$NS.svc.cluster.local\"]}]}}}}"
done
kubectl -n "$NS" rollout status deployment checkout --timeout=120s
kubectl -n "$NS" rollout status deployment backoffice --timeout=120s
