# score: 100
# kubectl has a command of its own for it.
set -euo pipefail
kubectl -n "$NS" set selector service "$APP" "app=$APP,component=$COMPONENT"
