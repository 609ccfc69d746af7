# score: 0; variants: stopped
# The application runs where a node is well, and fills its disk.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type json -p '[{"op":"remove","path":"/spec/template/spec/nodeSelector"}]'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
