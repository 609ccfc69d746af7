# score: 100
set -euo pipefail
# No selector: the addresses were written by a person. Which are they, and for which Service?
kubectl -n "$NS" describe service "$SVC"
kubectl -n "$NS" get endpointslices --show-labels
# Where is the system? On a machine of this cluster, whose address the cluster knows.
address=$(kubectl get node "$MACHINE_NAME" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
ssh control-plane curl -sS -m 5 "http://$address:$API/"
# The slice names the Service it is for, and the address at which the system answers.
kubectl -n "$NS" label endpointslice "$SVC-1" --overwrite "kubernetes.io/service-name=$SVC"
kubectl -n "$NS" patch endpointslice "$SVC-1" --type merge -p "{\"endpoints\":[{\"addresses\":[\"$address\"],\"conditions\":{\"ready\":true}}]}"
kubectl -n "$NS" describe service "$SVC"
