# score: 0
# Two pods are ready. On one machine.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type json -p '[{"op":"remove","path":"/spec/template/spec/affinity"}]'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
