# score: 40
# The first configuration is made to work, with a bridge of its own. The pods start; nobody outside of the node reaches them.
set -euo pipefail
ssh worker-2 "sudo tee /etc/cni/net.d/$ORDER-$PLUGIN.conflist >/dev/null" <<'CONFLIST'
{"cniVersion": "0.3.1", "name": "island", "plugins": [{"type": "bridge", "bridge": "island0", "isGateway": true, "ipMasq": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.99.12.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
CONFLIST
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
