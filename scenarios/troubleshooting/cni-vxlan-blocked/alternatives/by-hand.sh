# score: 100; variants: route
# What the agent would have written, for every other node.
set -euo pipefail
for node in "$NODE_CONTROL_PLANE" "$NODE_WORKER_1"; do
  range=$(kubectl get node "$node" -o jsonpath='{.spec.podCIDR}')
  ssh worker-2 sudo ip route add "$range" via "${range%/*}" dev flannel.1 onlink
done
