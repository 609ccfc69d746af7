# score: 60
# The packet filter sends the wrong port to the right one. It works until somebody boots the machine.
set -euo pipefail
address=$(kubectl get node "$NODE_CONTROL_PLANE" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
ssh worker-1 "sudo iptables -t nat -I OUTPUT -p tcp -d $address --dport $PORT -j DNAT --to-destination $address:6443; sudo systemctl restart kubelet"
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
