# score: 100
# What is there, with the one field that matters changed; kubectl deletes and creates.
set -euo pipefail
kubectl -n "$NS" get service "$STORE" -o json |
  jq '{apiVersion, kind, metadata: {name: .metadata.name, namespace: .metadata.namespace, labels: .metadata.labels},
       spec: {clusterIP: "None", selector: .spec.selector, ports: .spec.ports}}' |
  kubectl replace --force -f -
for i in $(seq 60); do
  [ "$(kubectl -n "$NS" exec deployment/router -c members -- cat /members/list)" = '3 members' ] && break
  sleep 1
done
kubectl -n "$NS" delete pods -l app=router
kubectl -n "$NS" rollout status deployment router --timeout=120s
