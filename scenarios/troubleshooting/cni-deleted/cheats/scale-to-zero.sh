# score: 0
# No pod hangs when none is wanted.
kubectl -n "$NS" scale deployment "$APP" --replicas=0
