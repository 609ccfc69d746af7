# score: 100; variants: not-executable
# It is there. It may not be run.
set -euo pipefail
ssh worker-1 "sudo chmod a+x /opt/cni/bin/$PLUGIN"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
