# score: 0
# The containers are there, and do nothing.
set -euo pipefail
for app in reports exports; do
  kubectl -n "$NS" patch deployment $app --type json -p '[{"op": "replace", "path": "/spec/template/spec/containers/1/args", "value": ["pause"]}]'
  kubectl -n "$NS" rollout status deployment $app --timeout=90s
done
