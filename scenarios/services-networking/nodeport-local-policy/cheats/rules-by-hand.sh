# score: 0
# worker-2 passes on to the pod what it would drop.
set -euo pipefail
pod=$(kubectl -n "$NS" get pods -l app="$APP" -o jsonpath='{.items[0].status.podIP}')
ssh worker-2 sudo iptables -t nat -I PREROUTING -p tcp --dport "$NODE_PORT" -j DNAT --to-destination "$pod:8080"
ssh worker-2 sudo iptables -t nat -I POSTROUTING -p tcp -d "$pod" -j MASQUERADE
