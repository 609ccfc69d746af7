# score: 30
# Pods get addresses, each node its own island.
set -euo pipefail
number=10
for node in control-plane worker-1 worker-2; do
  number=$((number + 1))
  ssh $node 'sudo tee /etc/cni/net.d/10-bridge.conflist >/dev/null' <<CONFLIST
{"cniVersion": "0.3.1", "name": "island", "plugins": [{"type": "bridge", "bridge": "island0", "isGateway": true, "ipMasq": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.99.$number.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
CONFLIST
done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
