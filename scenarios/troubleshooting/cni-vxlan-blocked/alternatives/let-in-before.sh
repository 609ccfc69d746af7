# score: 100; variants: firewall
# The nodes' network is let in before the chain is asked; the line itself stays for everybody else.
set -euo pipefail
for node in control-plane worker-1; do
  address=$(kubectl get node "$([ $node = worker-1 ] && echo "$NODE_WORKER_1" || echo "$NODE_CONTROL_PLANE")" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
  ssh worker-2 sudo iptables -I INPUT -s "$address" -p udp --dport 8472 -j ACCEPT
done
