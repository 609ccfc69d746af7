# score: 70
# The port that was complained about is free again. The other Service has the other one.
kubectl -n "$GUESTS" patch service "$PROMO" --type merge -p '{"spec":{"externalIPs":null}}'
