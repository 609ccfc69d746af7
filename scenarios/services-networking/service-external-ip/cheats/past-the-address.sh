# score: 0; variants: answers
# billing calls a Service of its own for the machine. It is one caller of many.
set -euo pipefail
address=$(kubectl get node "$NODE_WORKER_1" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
kubectl apply -f - <<OBJECTS
apiVersion: v1
kind: Service
metadata: { name: $SVC, namespace: $NS }
spec: { ports: [{ name: api, port: 80, targetPort: $API }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: $SVC-1, namespace: $NS, labels: { kubernetes.io/service-name: $SVC } }
addressType: IPv4
ports: [{ name: api, port: $API }]
endpoints: [{ addresses: ["$address"] }]
OBJECTS
kubectl -n "$NS" get configmap billing-site -o yaml | sed -E "s#proxy_pass http://[^;]+;#proxy_pass http://$SVC;#" | kubectl apply -f -
kubectl -n "$NS" rollout restart deployment billing
kubectl -n "$NS" rollout status deployment billing --timeout=120s
