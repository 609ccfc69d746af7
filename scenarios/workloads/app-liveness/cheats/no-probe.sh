# score: 0
# Whoever is not asked is not stopped.
set -euo pipefail
for app in search gateway; do
  kubectl -n "$NS" patch deployment $app --type json -p '[{"op": "remove", "path": "/spec/template/spec/containers/0/livenessProbe"}]'
done
kubectl -n "$NS" rollout status deployment gateway --timeout=90s
kubectl -n "$NS" rollout status deployment search --timeout=120s
