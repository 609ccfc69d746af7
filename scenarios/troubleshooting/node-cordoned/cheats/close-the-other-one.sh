# score: 0
# Now that one is closed, let it be the other.
kubectl cordon "$NODE_WORKER_1"
kubectl uncordon "$NODE_WORKER_2"
kubectl patch node "$NODE_WORKER_2" --type merge -p '{"spec":{"taints":null}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
