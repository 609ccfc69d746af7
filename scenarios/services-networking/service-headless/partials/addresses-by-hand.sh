# score: 60
# A headless Service without a selector, and a list of today's members.
set -euo pipefail
addresses=$(kubectl -n "$NS" get pods -l app="$STORE" -o json | jq -c '[.items[] | {addresses: [.status.podIP], conditions: {ready: true}}]')
kubectl -n "$NS" delete service "$STORE"
kubectl apply -f - <<M
apiVersion: v1
kind: Service
metadata: { name: $STORE, namespace: $NS }
spec: { clusterIP: None, ports: [{ name: data, port: $PORT }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: $STORE-members, namespace: $NS, labels: { kubernetes.io/service-name: $STORE } }
addressType: IPv4
ports: [{ name: data, port: $PORT, protocol: TCP }]
endpoints: $addresses
M
for i in $(seq 60); do
  [ "$(kubectl -n "$NS" exec deployment/router -c members -- cat /members/list)" = '3 members' ] && break
  sleep 1
done
kubectl -n "$NS" rollout restart deployment router
kubectl -n "$NS" rollout status deployment router --timeout=120s
