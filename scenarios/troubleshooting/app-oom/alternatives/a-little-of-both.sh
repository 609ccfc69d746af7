# score: 100
# The quota leaves some room: use it for the worker, and tell it to take no more than that.
set -euo pipefail
kubectl -n "$NS" patch deployment exports -p '{"spec": {"template": {"spec": {"containers": [{"name": "worker",
  "env": [{"name": "HEAP", "value": "128Mi"}], "resources": {"limits": {"memory": "192Mi"}}}]}}}}'
kubectl -n "$NS" patch deployment reports -p '{"spec": {"template": {"spec": {"containers": [{"name": "cache",
  "resources": {"requests": {"memory": "160Mi"}, "limits": {"memory": "208Mi"}}}]}}}}'
kubectl -n "$NS" rollout status deployment exports --timeout=120s
kubectl -n "$NS" rollout status deployment reports --timeout=120s
