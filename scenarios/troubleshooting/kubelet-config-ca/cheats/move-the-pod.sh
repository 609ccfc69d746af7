# score: 0
# It runs where a node is well. There is no reader there.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type json -p '[{"op":"remove","path":"/spec/template/spec/nodeSelector"}]'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
