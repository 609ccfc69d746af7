# score: 0; variants: answers
# Without the campaign there is no trouble with it.
kubectl -n "$GUESTS" delete service "$PROMO" "$PROMO-partners"
