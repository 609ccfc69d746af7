# score: 0; variants: missing
# A program by that name is there, and may be run. It does nothing.
set -euo pipefail
ssh worker-1 "sudo rm -f /opt/cni/bin/$PLUGIN; printf '#!/bin/sh\nexit 0\n' | sudo tee /opt/cni/bin/$PLUGIN >/dev/null; sudo chmod 755 /opt/cni/bin/$PLUGIN"
kubectl -n "$NS" delete pods -l app="$APP" --wait=false
kubectl -n "$NS" rollout status deployment "$APP" --timeout=30s
