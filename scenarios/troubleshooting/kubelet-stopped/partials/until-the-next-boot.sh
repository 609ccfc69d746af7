# score: 60
# The agent runs, the application is back. Tonight's boot ends it.
set -euo pipefail
ssh worker-2 'sudo systemctl unmask kubelet; sudo systemctl start kubelet'
kubectl wait --for=condition=Ready "node/$NODE_WORKER_2" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
