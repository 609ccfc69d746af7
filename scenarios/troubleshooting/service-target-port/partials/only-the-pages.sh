# score: 65
# The users are served again. The other port of the Service is forgotten.
set -euo pipefail
kubectl -n "$NS" patch service "$APP" -p "{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":$LISTEN}]}}"
