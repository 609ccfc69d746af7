# score: 100
# The other way round: the cluster's authority under the name that the configuration asks for.
set -euo pipefail
ssh worker-2 "sudo mkdir -p $(dirname "$PATH_WANTED") && sudo cp /etc/kubernetes/pki/ca.crt $PATH_WANTED"
kubectl wait --for=condition=Ready "node/$NODE_WORKER_2" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
