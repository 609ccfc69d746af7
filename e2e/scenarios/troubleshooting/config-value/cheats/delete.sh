# score: 0
kubectl -n shop delete configmap settings
