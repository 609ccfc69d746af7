# score: 50
# The port was easy to see. Search is still stopped before it has begun.
set -euo pipefail
kubectl -n "$NS" patch deployment gateway -p '{"spec": {"template": {"spec": {"containers": [{"name": "gateway",
  "livenessProbe": {"httpGet": {"port": 8080}}}]}}}}'
kubectl -n "$NS" rollout status deployment gateway --timeout=120s
