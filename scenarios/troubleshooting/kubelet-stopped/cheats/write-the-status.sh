# score: 0
# The API takes anybody's word for a node's status.
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
kubectl patch node "$NODE_WORKER_2" --subresource=status --type strategic -p '{"status":{"conditions":[{"type":"Ready","status":"True","reason":"KubeletReady","message":"kubelet is posting ready status","lastHeartbeatTime":"'"$now"'","lastTransitionTime":"'"$now"'"}]}}'
kubectl taint node "$NODE_WORKER_2" node.kubernetes.io/unreachable- || true
kubectl -n "$NS" wait --for=condition=PodScheduled pods -l app="$APP" --timeout=30s
for pod in $(kubectl -n "$NS" get pods -l app="$APP" -o name); do
  kubectl -n "$NS" patch "$pod" --subresource=status --type strategic -p '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"},{"type":"ContainersReady","status":"True"}]}}'
done
