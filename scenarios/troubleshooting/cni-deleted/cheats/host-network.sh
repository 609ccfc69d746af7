# score: 0
# The application runs when it needs no pod network.
kubectl -n "$NS" patch deployment "$APP" --type merge -p '{"spec":{"strategy":{"rollingUpdate":{"maxUnavailable":"100%"}},"template":{"spec":{"hostNetwork":true,"tolerations":[{"operator":"Exists"}]}}}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
