# score: 0; variants: socket
# The API takes anybody's word for a node's status, and pods need not care for its taints.
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
kubectl -n "$NS" patch deployment "$APP" --type merge -p '{"spec":{"template":{"spec":{"tolerations":[{"operator":"Exists"}]}}}}'
kubectl patch node "$NODE_WORKER_1" --subresource=status --type strategic -p '{"status":{"conditions":[{"type":"Ready","status":"True","reason":"KubeletReady","message":"kubelet is posting ready status","lastHeartbeatTime":"'"$now"'","lastTransitionTime":"'"$now"'"}]}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=30s || true
