# score: 0; variants: address
# The right address beside the dead one: every second connection arrives.
set -euo pipefail
address=$(kubectl get node "$MACHINE_NAME" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
kubectl -n "$NS" patch endpointslice "$SVC-1" --type json -p "[{\"op\":\"add\",\"path\":\"/endpoints/-\",\"value\":{\"addresses\":[\"$address\"],\"conditions\":{\"ready\":true}}}]"
