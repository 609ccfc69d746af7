# score: 0
# Lead the one service that everybody looks at to a pod that is there now.
set -euo pipefail
ip=$(kubectl -n "$NS" get service "$APP" -o jsonpath='{.spec.clusterIP}')
pod=$(kubectl -n "$NS" get pods -l app="$APP" -o jsonpath='{.items[0].status.podIP}')
for node in control-plane worker-1 worker-2; do
  for chain in OUTPUT PREROUTING; do
    ssh $node sudo iptables -t nat -I $chain -p tcp -d "$ip" --dport "$PORT" -j DNAT --to-destination "$pod:80"
  done
  ssh $node curl -sS -o /dev/null --max-time 5 "http://$ip:$PORT/"
done
