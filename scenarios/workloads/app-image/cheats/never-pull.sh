# score: 0
# What need not be pulled cannot fail to be.
set -euo pipefail
for app in web feed; do
  kubectl -n "$NS" patch deployment $app --type json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/imagePullPolicy", "value": "Never"}]'
done
kubectl -n "$NS" rollout status deployment feed --timeout=10s
