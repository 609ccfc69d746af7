# score: 50
# Prices are shown. Booking waits on.
set -euo pipefail
kubectl -n "$NS" patch deployment tickets --type json -p '[
  {"op": "replace", "path": "/spec/template/spec/initContainers/1/volumeMounts/0/mountPath", "value": "/pages"}]'
kubectl -n "$NS" rollout status deployment tickets --timeout=120s
