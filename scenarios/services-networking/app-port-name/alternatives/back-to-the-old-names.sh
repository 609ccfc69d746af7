# score: 100
# Take the renaming back: the Deployments have a history, the Services get the names that they had.
set -euo pipefail
for tier in "$STORE" "$API" "$WEB"; do
  kubectl -n "$NS" rollout undo deployment "$tier"
done
kubectl -n "$NS" patch service "$API" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": "http"}]'
kubectl -n "$NS" patch service "$STORE" --type json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": "data"}]'
for tier in "$STORE" "$API" "$WEB"; do
  kubectl -n "$NS" rollout status deployment "$tier" --timeout=90s
done
