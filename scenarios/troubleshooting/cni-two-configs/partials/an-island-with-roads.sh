# score: 60
# A bridge of its own, and a route to it on every other node, by hand: reached from everywhere, until somebody boots one of them.
set -euo pipefail
ssh worker-2 "sudo tee /etc/cni/net.d/$ORDER-$PLUGIN.conflist >/dev/null" <<'CONFLIST'
{"cniVersion": "0.3.1", "name": "island", "plugins": [{"type": "bridge", "bridge": "island1", "isGateway": true, "ipMasq": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.99.13.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
CONFLIST
address=$(kubectl get node "$NODE_WORKER_2" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
for node in control-plane worker-1; do
  ssh $node "sudo ip route replace 10.99.13.0/24 via $address"
done
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
