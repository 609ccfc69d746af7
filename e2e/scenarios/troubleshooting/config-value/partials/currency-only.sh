# score: 30
kubectl -n shop patch configmap settings --type merge -p '{"data":{"currency":"EUR"}}'
