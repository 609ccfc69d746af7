# score: 40
# Every node answers. The audit log now shows addresses of nodes.
kubectl -n "$NS" patch service "$APP" --type merge -p '{"spec":{"externalTrafficPolicy":"Cluster"}}'
