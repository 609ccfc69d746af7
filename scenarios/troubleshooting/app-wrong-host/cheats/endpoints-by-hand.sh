# score: 0
# The Services of the front ends lead past them, to the address of a pod of the API.
set -euo pipefail
ip=$(kubectl -n "$DATA" get pods -l app="$API" -o jsonpath='{.items[0].status.podIP}')
for front in storefront kiosk; do
  kubectl -n "$NS" patch service $front --type json -p '[{"op": "remove", "path": "/spec/selector"}]'
  kubectl -n "$NS" delete endpointslices -l kubernetes.io/service-name=$front
  kubectl apply -f - <<SLICE
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: $front-direct, namespace: $NS, labels: {kubernetes.io/service-name: $front}}
addressType: IPv4
ports: [{port: 8080, protocol: TCP}]
endpoints: [{addresses: ["$ip"], conditions: {ready: true}}]
SLICE
done
