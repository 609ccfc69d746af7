# score: 0
# The API takes anybody's word for a node's status.
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
kubectl patch node "$NODE_WORKER_1" --subresource=status --type strategic -p '{"status":{"conditions":[{"type":"Ready","status":"True","reason":"KubeletReady","message":"kubelet is posting ready status","lastHeartbeatTime":"'"$now"'","lastTransitionTime":"'"$now"'"}]}}'
kubectl taint node "$NODE_WORKER_1" node.kubernetes.io/unreachable- || true
