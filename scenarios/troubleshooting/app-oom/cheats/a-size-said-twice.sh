# score: 0
# The size is still written there. A second one behind it is what the program takes.
set -euo pipefail
kubectl -n "$NS" patch deployment reports --type json -p '[{"op": "add", "path": "/spec/template/spec/containers/1/args/-", "value": "--mem-total=8Mi"}]'
kubectl -n "$NS" patch deployment exports --type json -p '[
  {"op": "replace", "path": "/spec/template/spec/containers/1/env", "value": [{"name": "HEAP", "value": "64Mi"}]},
  {"op": "replace", "path": "/spec/template/spec/containers/1/args/3", "value": "--mem-alloc-sleep=10h"}]'
kubectl -n "$NS" rollout status deployment reports --timeout=90s
kubectl -n "$NS" rollout status deployment exports --timeout=90s
