# score: 0; variants: empty
# The claim stays, and what it catches is led back to the machine by hand.
set -euo pipefail
address=$(kubectl get node "$NODE_WORKER_1" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
lead() {
  kubectl apply -f - <<SLICE
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: $1-back, namespace: $GUESTS, labels: { kubernetes.io/service-name: $1 } }
addressType: IPv4
ports: [{ name: web, port: $2 }]
endpoints: [{ addresses: ["$address"] }]
SLICE
}
lead "$PROMO" "$API"
lead "$PROMO-partners" "$FEED"
