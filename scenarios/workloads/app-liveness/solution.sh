# score: 100
set -euo pipefail
# Restarts, and nothing bad in the logs: who stops these containers?
kubectl -n "$NS" get pods
kubectl -n "$NS" get events | grep -E 'Unhealthy|Killing' | tail -n 6 || true
kubectl -n "$NS" logs -l app=search --tail=3 || true
# Search is asked before it can answer. A startup probe waits for its index, and the liveness probe stays as quick as it is.
kubectl -n "$NS" patch deployment search -p '{"spec": {"template": {"spec": {"containers": [{"name": "search",
  "startupProbe": {"httpGet": {"path": "/live", "port": "http"}, "periodSeconds": 3, "failureThreshold": 30}}]}}}}'
# The gateway is asked on a port on which it does not listen: name the container's own.
kubectl -n "$NS" patch deployment gateway -p '{"spec": {"template": {"spec": {"containers": [{"name": "gateway",
  "livenessProbe": {"httpGet": {"port": "http"}}}]}}}}'
kubectl -n "$NS" rollout status deployment gateway --timeout=120s
kubectl -n "$NS" rollout status deployment search --timeout=180s
