# score: 0
# A node sends packets wherever its rules say, and nobody has to ask the Service.
set -euo pipefail
ip=$(kubectl -n "$NS" get service "$APP" -o jsonpath='{.spec.clusterIP}')
pod=$(kubectl -n "$NS" get pods -l app="$APP" -o jsonpath='{.items[0].status.podIP}')
for node in control-plane worker-1 worker-2; do for chain in OUTPUT PREROUTING; do
  ssh $node sudo iptables -t nat -I $chain -p tcp -d "$ip" --dport 80 -j DNAT --to-destination "$pod:$LISTEN"
done; done
