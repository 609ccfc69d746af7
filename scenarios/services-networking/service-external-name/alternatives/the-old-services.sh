# score: 100
# In the partner's namespace: the old Services are back, beside the new ones.
set -euo pipefail
for what in pay refund; do
  kubectl -n "$PARTNER" get service "$what-$NEW" -o json |
    jq --arg name "$what-$OLD" '{apiVersion, kind, metadata: {name: $name, namespace: .metadata.namespace}, spec: {selector: .spec.selector, ports: .spec.ports}}' |
    kubectl create -f -
done
for name in payments refunds; do
  for i in $(seq 60); do
    kubectl -n "$NS" exec deployment/tills -- wget -qO- -T 3 "http://$name.$NS.svc.cluster.local./" && break
    sleep 1
  done
done
kubectl -n "$NS" rollout restart deployment checkout backoffice
kubectl -n "$NS" rollout status deployment checkout --timeout=120s
kubectl -n "$NS" rollout status deployment backoffice --timeout=120s
