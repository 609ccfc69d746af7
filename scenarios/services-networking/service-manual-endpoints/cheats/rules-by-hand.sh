# score: 0
# Every node sends the Service's address to the machine, and Kubernetes knows nothing of it.
set -euo pipefail
ip=$(kubectl -n "$NS" get service "$SVC" -o jsonpath='{.spec.clusterIP}')
address=$(kubectl get node "$MACHINE_NAME" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
for node in control-plane worker-1 worker-2; do
  for chain in OUTPUT PREROUTING; do
    ssh $node sudo iptables -t nat -I $chain -p tcp -d "$ip" --dport 80 -j DNAT --to-destination "$address:$API"
    ssh $node sudo iptables -t nat -I $chain -p tcp -d "$ip" --dport 9000 -j DNAT --to-destination "$address:$FEED"
  done
  ssh $node sudo iptables -t nat -I POSTROUTING -p tcp -d "$address" -j MASQUERADE
done
