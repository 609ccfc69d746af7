# score: 50; variants: route
# The page is there again: there is a way to the node that asks for it. To the others there is none.
set -euo pipefail
range=$(kubectl get node "$NODE_WORKER_1" -o jsonpath='{.spec.podCIDR}')
ssh worker-2 sudo ip route add "$range" via "${range%/*}" dev flannel.1 onlink
