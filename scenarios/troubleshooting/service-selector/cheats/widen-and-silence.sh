# score: 0
# The same, with the pods that are in the way taken out of it.
set -euo pipefail
kubectl -n "$NS" patch service "$APP" --type json -p '[{"op":"remove","path":"/spec/selector/component"}]'
kubectl -n "$NS" scale deployment "$APP-jobs" --replicas=0
kubectl -n "$NS" wait --for=delete pods -l component=jobs --timeout=60s
