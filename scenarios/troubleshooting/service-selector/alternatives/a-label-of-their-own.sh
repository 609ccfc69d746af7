# score: 100
# A label of its own for those who serve: in the template, so that tomorrow's pods have it.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" -p '{"spec":{"template":{"metadata":{"labels":{"serves":"shop"}}}}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
kubectl -n "$NS" patch service "$APP" --type json -p "[{\"op\":\"replace\",\"path\":\"/spec/selector\",\"value\":{\"app\":\"$APP\",\"serves\":\"shop\"}}]"
