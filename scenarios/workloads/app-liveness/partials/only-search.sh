# score: 50
# Search gets the time that it needs. The gateway is still asked where nobody answers, only a little later.
set -euo pipefail
kubectl -n "$NS" patch deployment search -p '{"spec": {"template": {"spec": {"containers": [{"name": "search",
  "startupProbe": {"httpGet": {"path": "/live", "port": "http"}, "periodSeconds": 2, "failureThreshold": 40}}]}}}}'
kubectl -n "$NS" patch deployment gateway --type json -p '[
  {"op": "add", "path": "/spec/template/spec/containers/0/livenessProbe/initialDelaySeconds", "value": 4},
  {"op": "add", "path": "/spec/template/spec/containers/0/livenessProbe/periodSeconds", "value": 4}]'
kubectl -n "$NS" rollout status deployment search --timeout=180s
# A server's first two lives follow each other at once, and for as long one of two may always be there. From the third on it is down for longer than up.
for _ in {1..60}; do
  restarts=$(kubectl -n "$NS" get pods -l app=gateway --sort-by=.metadata.creationTimestamp -o jsonpath='{range .items[*]}{.status.containerStatuses[0].restartCount}{"\n"}{end}')
  [ "$(grep -cE '^([3-9]|[0-9]{2,})$' <<<"$restarts")" -lt 2 ] || break
  sleep 3
done
