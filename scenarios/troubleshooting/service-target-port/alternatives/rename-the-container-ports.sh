# score: 100; variants: name
# The chart's names are the new standard: the containers' ports take them.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type json -p "[
  {\"op\":\"replace\",\"path\":\"/spec/template/spec/containers/0/ports/0/name\",\"value\":\"$WRONG_NAME\"},
  {\"op\":\"replace\",\"path\":\"/spec/template/spec/containers/0/ports/1/name\",\"value\":\"$WRONG_STATS_NAME\"}]"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
