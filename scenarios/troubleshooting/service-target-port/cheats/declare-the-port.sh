# score: 0; variants: number
# A containerPort is a note for the reader. Writing it down opens nothing.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type json -p "[
  {\"op\":\"replace\",\"path\":\"/spec/template/spec/containers/0/ports\",\"value\":[{\"name\":\"$LISTEN_NAME\",\"containerPort\":$WRONG_LISTEN},{\"name\":\"$STATS_NAME\",\"containerPort\":$WRONG_STATS}]}]"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
