# score: 100
set -euo pipefail
# The Service has the pods' addresses. But which ports does it send to, and which do the pods have?
kubectl -n "$NS" describe service "$APP"
kubectl -n "$NS" get endpointslices -l kubernetes.io/service-name="$APP"
kubectl -n "$NS" get deployment "$APP" -o jsonpath='{.spec.template.spec.containers[0].ports}{"\n"}'
# Send each port to the container port that is meant, by its name.
kubectl -n "$NS" patch service "$APP" -p "{\"spec\":{\"ports\":[
  {\"port\":80,\"targetPort\":\"$LISTEN_NAME\"},
  {\"port\":9100,\"targetPort\":\"$STATS_NAME\"}]}}"
# The EndpointSlice has ports at which somebody listens.
kubectl -n "$NS" get endpointslices -l kubernetes.io/service-name="$APP"
