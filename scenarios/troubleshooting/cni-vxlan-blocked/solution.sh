# score: 100
set -euo pipefail
# Who reaches a pod of it by its address? Only the node that it is on.
address=$(kubectl -n "$NS" get pods -l app="$APP" -o jsonpath='{.items[0].status.podIP}')
for node in control-plane worker-1 worker-2; do ssh $node "curl -s -m 3 http://$address/ || echo '$node: nothing'"; done
# Which port carries it between nodes, and which ways are there?
ssh worker-2 'ip -d link show flannel.1; ip route'
if [ "$VARIANT" = firewall ]; then
  ssh worker-2 sudo iptables -S | grep 8472
  ssh worker-2 sudo iptables -D "$DOORS" -p udp --dport 8472 -j DROP
else
  # The agent writes them at its start.
  kubectl -n kube-flannel delete pods -l app=flannel --field-selector spec.nodeName="$NODE_WORKER_2"
  kubectl -n kube-flannel rollout status daemonset kube-flannel-ds --timeout=120s
fi
ssh worker-1 "curl -s -m 3 http://$address/"
