# score: 90; variants: not-executable
# Without that plugin, and its work done by hand for today's pod.
set -euo pipefail
ssh worker-1 sudo cat /etc/cni/net.d/10-flannel.conflist | jq 'del(.plugins[] | select(.type == "portmap"))' > /tmp/10-flannel.conflist
ssh worker-1 'sudo tee /etc/cni/net.d/10-flannel.conflist >/dev/null' < /tmp/10-flannel.conflist
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
address=$(kubectl -n "$NS" get pods -l app="$APP" -o jsonpath='{.items[0].status.podIP}')
ssh worker-1 "for chain in PREROUTING OUTPUT; do sudo iptables -t nat -I \$chain -p tcp --dport 9080 -j DNAT --to-destination $address:80; done"
