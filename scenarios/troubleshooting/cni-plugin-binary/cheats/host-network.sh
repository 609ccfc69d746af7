# score: 0; variants: missing
# It starts when it needs no pod network.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type json -p '[{"op":"add","path":"/spec/template/spec/hostNetwork","value":true},{"op":"remove","path":"/spec/template/spec/containers/0/ports"}]'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
