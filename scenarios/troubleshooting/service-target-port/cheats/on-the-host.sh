# score: 0
# In the node's network a port is a port. Two pods do not fit on one node then, but one may be enough.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type json -p '[{"op":"add","path":"/spec/template/spec/hostNetwork","value":true}]'
kubectl -n "$NS" patch service "$APP" -p "{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":$LISTEN},{\"port\":9100,\"targetPort\":$STATS}]}}"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s || true
