# score: 65
# A new slice with the port that was complained about. The Service has another one.
set -euo pipefail
address=$(kubectl get node "$MACHINE_NAME" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
kubectl -n "$NS" delete endpointslice "$SVC-1"
kubectl apply -f - <<SLICE
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: $SVC-2, namespace: $NS, labels: { kubernetes.io/service-name: $SVC } }
addressType: IPv4
ports: [{ name: api, port: $API, protocol: TCP }]
endpoints: [{ addresses: ["$address"], conditions: { ready: true } }]
SLICE
