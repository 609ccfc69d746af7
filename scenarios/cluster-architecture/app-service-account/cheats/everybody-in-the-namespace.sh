# score: 0
# Whichever account it is, all of them get it.
kubectl -n "$NS" create rolebinding everybody-view --clusterrole=view --group="system:serviceaccounts:$NS"
