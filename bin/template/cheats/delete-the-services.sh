# score: 0
# Nobody waits for an answer of what is not there.
kubectl -n "$NS" delete service prices prices-partners
