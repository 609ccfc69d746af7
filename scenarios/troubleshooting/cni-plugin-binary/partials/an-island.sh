# score: 40; variants: missing
# A configuration that needs none of the programs in question. The pod starts; only its own node reaches it.
set -euo pipefail
ssh worker-1 'sudo tee /etc/cni/net.d/00-island.conflist >/dev/null' <<'CONFLIST'
{"cniVersion": "0.3.1", "name": "island", "plugins": [{"type": "ptp", "ipMasq": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.99.11.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
CONFLIST
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
