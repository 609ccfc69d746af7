# score: 100
# Offer the port that is asked for beside the one that there is, and write to where the volume is.
set -euo pipefail
kubectl -n "$NS" patch service "$DB" -p "{\"spec\": {\"ports\": [{\"name\": \"data-alt\", \"port\": $BAD_PORT, \"targetPort\": \"data\"}]}}"
kubectl -n "$NS" get deployment tickets -o yaml | sed "s#/pages/index.html#$BAD_MOUNT/index.html#" | kubectl apply -f -
kubectl -n "$NS" rollout status deployment booking --timeout=120s
kubectl -n "$NS" rollout status deployment tickets --timeout=120s
