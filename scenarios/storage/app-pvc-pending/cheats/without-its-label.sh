# score: 0; variants: class
# A Deployment that is not found by its label may mount what it likes.
set -euo pipefail
page=$(ssh worker-2 cat "/srv/$CLASS/$VOLUME/index.html")
kubectl -n "$NS" create configmap page --from-literal=index.html="$page"
kubectl -n "$NS" label deployment "$APP" app-
kubectl -n "$NS" patch deployment "$APP" --type json \
  -p '[{"op": "replace", "path": "/spec/template/spec/volumes/0", "value": {"name": "documents", "configMap": {"name": "page"}}}]'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
