# score: 40
# The Service looks for the pods of the ReplicaSet of today: gone with the next release.
set -euo pipefail
h=$(kubectl -n "$NS" get pods -l "app=$APP,component=$COMPONENT" -o jsonpath='{.items[0].metadata.labels.pod-template-hash}')
kubectl -n "$NS" patch service "$APP" --type json -p "[{\"op\":\"replace\",\"path\":\"/spec/selector\",\"value\":{\"pod-template-hash\":\"$h\"}}]"
