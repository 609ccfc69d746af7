# score: 30; variants: pods
# Enough for what waits today, and the next update waits again.
set -euo pipefail
ssh worker-2 "sudo sed -i -E 's/^maxPods:.*/maxPods: 16/' /var/lib/kubelet/config.yaml; sudo systemctl restart kubelet"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
