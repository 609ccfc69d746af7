# score: 50; variants: firewall
# The page is there again: one node is let in. The others are not.
set -euo pipefail
address=$(kubectl get node "$NODE_WORKER_1" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
ssh worker-2 sudo iptables -I INPUT -s "$address" -p udp --dport 8472 -j ACCEPT
