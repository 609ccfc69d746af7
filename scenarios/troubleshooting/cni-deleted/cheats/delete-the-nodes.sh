# score: 0
# No node is NotReady when there is no node.
kubectl delete node --all --wait=false
