# score: 80; variants: not-executable
# The configuration does not ask for it any more. The pod network works, the port of the machine does not.
set -euo pipefail
ssh worker-1 sudo cat /etc/cni/net.d/10-flannel.conflist | jq 'del(.plugins[] | select(.type == "portmap"))' > /tmp/10-flannel.conflist
ssh worker-1 'sudo tee /etc/cni/net.d/10-flannel.conflist >/dev/null' < /tmp/10-flannel.conflist
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
