# score: 0
# The Service is right. A change that was tried before is left hanging in its rollout.
set -euo pipefail
kubectl -n "$NS" patch service "$APP" -p "{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":$LISTEN},{\"port\":9100,\"targetPort\":$STATS}]}}"
kubectl -n "$NS" patch deployment "$APP" --type json -p "[{\"op\":\"replace\",\"path\":\"/spec/template/spec/containers/0/readinessProbe/httpGet/port\",\"value\":$WRONG_LISTEN}]"
