# score: 0; variants: target-port
# Every node sends the questions to a server itself; the Service stays as it is.
set -euo pipefail
server=$(kubectl -n kube-system get pods -l k8s-app=kube-dns -o jsonpath='{.items[0].status.podIP}')
for node in control-plane worker-1 worker-2; do
  for chain in OUTPUT PREROUTING; do
    ssh $node sudo iptables -t nat -I $chain -p udp -d 10.96.0.10 --dport 53 -j DNAT --to-destination "$server:53"
  done
  ssh $node sudo iptables -t nat -I POSTROUTING -p udp -d "$server" -j MASQUERADE
done
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
