# score: 40
# The Service looks for component=other: so today's pods get that label, by hand.
set -euo pipefail
kubectl -n "$NS" label pods -l "app=$APP,component=$COMPONENT" "component=$OTHER" --overwrite
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
