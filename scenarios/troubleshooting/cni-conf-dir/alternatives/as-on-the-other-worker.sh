# score: 100; variants: configurations
# The whole file as the other worker has it.
set -euo pipefail
ssh worker-2 sudo cat /etc/containerd/config.toml | ssh worker-1 'sudo tee /etc/containerd/config.toml >/dev/null; sudo systemctl restart containerd'
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
