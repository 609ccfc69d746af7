# score: 30
# The addresses of today's pods, written down. The shop sells, until the first of them is replaced.
set -euo pipefail
addresses=$(kubectl -n "$NS" get pods -l "app=$APP,component=$COMPONENT" -o json |
  jq -c '[.items[] | {addresses: [.status.podIP], conditions: {ready: true}}]')
kubectl apply -f - <<SLICE
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: $APP-now
  namespace: $NS
  labels: { kubernetes.io/service-name: $APP }
addressType: IPv4
ports: [{ name: http, port: 8080, protocol: TCP }]
endpoints: $addresses
SLICE
