# score: 0
# The page of the application without the application in between.
set -euo pipefail
kubectl -n "$NS" patch service checkout --type merge -p "{\"spec\":{\"selector\":{\"app\":\"$APP\"},\"ports\":[{\"name\":\"web\",\"port\":80,\"targetPort\":$LISTEN}]}}"
