# score: 100
# Forget what is there, and write down what is known.
set -euo pipefail
kubectl -n "$NS" delete endpointslices -l 'endpointslice.kubernetes.io/managed-by=staff'
address=$(kubectl get node "$MACHINE_NAME" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
kubectl apply -f - <<SLICE
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: $SVC-machine
  namespace: $NS
  labels: { kubernetes.io/service-name: $SVC }
addressType: IPv4
ports:
  - { name: feed, port: $FEED }
  - { name: api, port: $API }
endpoints:
  - addresses: ["$address"]
SLICE
