# score: 50
# Search gets the time that it needs. The gateway is still asked where nobody answers, only less often.
set -euo pipefail
kubectl -n "$NS" patch deployment search -p '{"spec": {"template": {"spec": {"containers": [{"name": "search",
  "startupProbe": {"httpGet": {"path": "/live", "port": "http"}, "periodSeconds": 2, "failureThreshold": 40}}]}}}}'
kubectl -n "$NS" patch deployment gateway --type json -p '[
  {"op": "add", "path": "/spec/template/spec/containers/0/livenessProbe/initialDelaySeconds", "value": 15}]'
kubectl -n "$NS" rollout status deployment search --timeout=180s
