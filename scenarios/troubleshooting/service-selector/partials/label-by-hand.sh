# score: 40
# A label on the pods of today, and a Service that looks for it.
set -euo pipefail
kubectl -n "$NS" label pods -l "app=$APP,component=$COMPONENT" serves=shop
kubectl -n "$NS" patch service "$APP" --type json -p '[{"op":"replace","path":"/spec/selector","value":{"serves":"shop"}}]'
