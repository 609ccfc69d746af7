# score: 0
# Nothing crashes where nothing runs.
kubectl -n kube-system scale deployment coredns --replicas=0
