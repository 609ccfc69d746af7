# score: 100
# The old address stays on the list as a note, marked as not ready: it gets no connections.
set -euo pipefail
address=$(kubectl get node "$MACHINE_NAME" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
kubectl -n "$NS" label endpointslice "$SVC-1" --overwrite "kubernetes.io/service-name=$SVC"
kubectl -n "$NS" patch endpointslice "$SVC-1" --type merge -p "{\"endpoints\":[{\"addresses\":[\"$FORMERLY\"],\"conditions\":{\"ready\":false}},{\"addresses\":[\"$address\"],\"conditions\":{\"ready\":true}}]}"
