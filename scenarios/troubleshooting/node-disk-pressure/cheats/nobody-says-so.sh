# score: 0; variants: configuration
# Without its agent the node says nothing of its disk, and what is written over its last word stays. The taint goes; nothing starts there.
set -euo pipefail
ssh worker-2 sudo systemctl stop kubelet
kubectl patch node "$NODE_WORKER_2" --subresource=status -p '{"status":{"conditions":[{"type":"DiskPressure","status":"False","reason":"KubeletHasNoDiskPressure","message":"kubelet has no disk pressure"}]}}'
sleep 10
kubectl -n "$NS" get pods -o wide
