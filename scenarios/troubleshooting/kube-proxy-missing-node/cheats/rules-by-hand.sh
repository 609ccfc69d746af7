# score: 0
# Lead the one service that the team uses to a pod that is there now.
set -euo pipefail
ip=$(kubectl -n "$NS" get service "$APP" -o jsonpath='{.spec.clusterIP}')
pod=$(kubectl -n "$NS" get pods -l app="$APP" -o jsonpath='{.items[0].status.podIP}')
for chain in OUTPUT PREROUTING; do
  ssh worker-2 sudo iptables -t nat -I $chain -p tcp -d "$ip" --dport "$PORT" -j DNAT --to-destination "$pod:80"
done
ssh worker-2 curl -sS -o /dev/null --max-time 5 "http://$ip:$PORT/"
