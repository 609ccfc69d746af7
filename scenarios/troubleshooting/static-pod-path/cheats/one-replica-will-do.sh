# score: 0
# Nothing is Pending.
kubectl -n "$NS" scale deployment "$APP" --replicas=1
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
