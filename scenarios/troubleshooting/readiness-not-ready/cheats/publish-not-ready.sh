# score: 0
# The Service takes whoever runs.
kubectl -n "$NS" patch service "$APP" --type merge -p '{"spec":{"publishNotReadyAddresses":true}}'
