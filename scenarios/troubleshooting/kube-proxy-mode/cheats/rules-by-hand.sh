# score: 0; variants: ipvs
# Every node sends the Service's address to one of its pods, and Kubernetes knows nothing of it.
set -euo pipefail
ip=$(kubectl -n "$NS" get service "$APP" -o jsonpath='{.spec.clusterIP}')
pod=$(kubectl -n "$NS" get pods -l app="$APP" -o jsonpath='{.items[0].status.podIP}')
for node in control-plane worker-1 worker-2; do
  for chain in OUTPUT PREROUTING; do
    ssh $node sudo iptables -t nat -I $chain -p tcp -d "$ip" --dport "$PORT" -j DNAT --to-destination "$pod:80"
  done
  ssh $node sudo iptables -t nat -I POSTROUTING -p tcp -d "$pod" -j MASQUERADE
done
