# score: 0
# The pods by the Role; the Deployments by a ClusterRole that is bound everywhere.
set -euo pipefail
kubectl -n "$NS" patch rolebinding "$BOARD-reader" --type merge -p "{\"subjects\": [{\"kind\": \"ServiceAccount\", \"name\": \"$BOARD\", \"namespace\": \"$NS\"}]}"
kubectl create clusterrole "$BOARD-deployments" --verb=get,list,watch --resource=deployments.apps
kubectl create clusterrolebinding "$BOARD-deployments" --clusterrole="$BOARD-deployments" --serviceaccount="$NS:$BOARD"
kubectl auth can-i list deployments.apps -A --as="system:serviceaccount:$NS:$BOARD"
