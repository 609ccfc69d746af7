# score: 60; variants: stopped
# The runtime runs, the application is back. Tonight's boot ends it.
set -euo pipefail
ssh worker-1 sudo systemctl start containerd
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
