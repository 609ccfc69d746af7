# score: 60
# The node comes back without an authority to believe. Nobody can show who they are, and the API server is nobody as well.
set -euo pipefail
ssh worker-2 "sudo sed -i '/clientCAFile:/d; s/^  x509:.*/  x509: {}/' /var/lib/kubelet/config.yaml"
ssh worker-2 sudo systemctl restart kubelet
kubectl wait --for=condition=Ready "node/$NODE_WORKER_2" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
