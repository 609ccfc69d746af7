# score: 0
# Looking does no harm, so let it look everywhere.
kubectl create clusterrolebinding "$BOARD-view" --clusterrole=view --serviceaccount="$NS:$BOARD"
