# score: 100
# The old way: an Endpoints object with the Service's name, which a controller mirrors.
set -euo pipefail
kubectl -n "$NS" delete endpointslice "$SVC-1"
address=$(kubectl get node "$MACHINE_NAME" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
kubectl apply -f - <<ENDPOINTS
apiVersion: v1
kind: Endpoints
metadata: { name: $SVC, namespace: $NS }
subsets:
  - addresses: [{ ip: $address }]
    ports: [{ name: api, port: $API }, { name: feed, port: $FEED }]
ENDPOINTS
for i in $(seq 30); do
  kubectl -n "$NS" get endpointslices -l "kubernetes.io/service-name=$SVC" -o name | grep -q . && break
  sleep 1
done
