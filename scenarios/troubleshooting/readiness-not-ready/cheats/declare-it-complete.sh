# score: 0
# The list says that the index is complete.
set -euo pipefail
kubectl -n "$NS" get configmap "$APP-index" -o yaml | sed 's/ rebuilding$/ complete/' | kubectl apply -f -
kubectl -n "$NS" patch deployment "$APP" --type json -p '[{"op":"remove","path":"/spec/template/spec/containers/0/readinessProbe"}]'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
