# score: 0
# It will be stopped, but not today.
set -euo pipefail
for app in search gateway; do
  kubectl -n "$NS" patch deployment $app --type json -p '[
    {"op": "replace", "path": "/spec/template/spec/containers/0/livenessProbe/failureThreshold", "value": 10000}]'
done
kubectl -n "$NS" rollout status deployment gateway --timeout=90s
kubectl -n "$NS" rollout status deployment search --timeout=120s
