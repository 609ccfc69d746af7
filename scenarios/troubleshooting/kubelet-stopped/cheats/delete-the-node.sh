# score: 0
# No node is NotReady when the node is gone.
kubectl delete node "$NODE_WORKER_2" --wait=false
