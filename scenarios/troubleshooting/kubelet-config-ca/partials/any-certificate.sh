# score: 60
# A certificate lies where one is asked for. It is the wrong one.
set -euo pipefail
ssh worker-2 "sudo mkdir -p $(dirname "$PATH_WANTED") && sudo cp /var/lib/kubelet/pki/kubelet.crt $PATH_WANTED"
kubectl wait --for=condition=Ready "node/$NODE_WORKER_2" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
