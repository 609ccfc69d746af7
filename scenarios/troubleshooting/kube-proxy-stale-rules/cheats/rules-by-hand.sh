# score: 0
# Lead the two that complain to their pods by hand.
set -euo pipefail
for app in "$MOVED" "$LATE"; do
  ip=$(kubectl -n "$NS" get service "$app" -o jsonpath='{.spec.clusterIP}')
  pod=$(kubectl -n "$NS" get pods -l app="$app" -o jsonpath='{.items[0].status.podIP}')
  for node in control-plane worker-1 worker-2; do
    for chain in OUTPUT PREROUTING; do
      ssh $node sudo iptables -t nat -I $chain -p tcp -d "$ip" --dport 80 -j DNAT --to-destination "$pod:80"
    done
    ssh $node curl -sS -o /dev/null --max-time 5 "http://$ip/"
  done
done
