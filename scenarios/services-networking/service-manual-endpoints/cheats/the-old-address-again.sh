# score: 0; variants: address
# The machine gets its old address back, and the other nodes a route to it. Until the next restart.
set -euo pipefail
address=$(kubectl get node "$MACHINE_NAME" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
for node in control-plane worker-1 worker-2; do
  if ssh $node hostname | grep -qx "$MACHINE_NAME"; then ssh $node sudo ip addr add "$FORMERLY/32" dev eth0
  else ssh $node sudo ip route add "$FORMERLY/32" via "$address"; fi
done
