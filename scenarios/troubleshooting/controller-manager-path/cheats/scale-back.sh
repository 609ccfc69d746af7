# score: 0; variants: host-path
# Two of two, as before lunch.
kubectl -n "$NS" scale deployment "$APP" --replicas=2
kubectl -n "$NS" delete secret "$ROBOT-branch"
