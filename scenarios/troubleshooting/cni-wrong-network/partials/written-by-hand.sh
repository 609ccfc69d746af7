# score: 40; variants: network
# The file that is missing, as on the other worker, with this node's range. It is gone with the next boot, and the agent still ends.
set -euo pipefail
range=$(kubectl get node "$NODE_WORKER_2" -o jsonpath='{.spec.podCIDR}')
ssh worker-1 sudo cat /run/flannel/subnet.env | sed "s#^FLANNEL_SUBNET=.*#FLANNEL_SUBNET=${range%.*}.1/24#" | ssh worker-2 'sudo tee /run/flannel/subnet.env >/dev/null'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
