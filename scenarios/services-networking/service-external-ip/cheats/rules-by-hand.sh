# score: 0; variants: empty
# Every node lets these two ports through before kube-proxy sees them.
set -euo pipefail
address=$(kubectl get node "$NODE_WORKER_1" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
for node in control-plane worker-1 worker-2; do
  for port in "$API" "$FEED"; do
    for chain in PREROUTING OUTPUT; do
      ssh $node sudo iptables -t nat -I $chain -p tcp -d "$address" --dport "$port" -j ACCEPT
    done
    ssh $node sudo iptables -I INPUT -p tcp -d "$address" --dport "$port" -j ACCEPT
    ssh $node sudo iptables -I FORWARD -p tcp -d "$address" --dport "$port" -j ACCEPT
  done
done
