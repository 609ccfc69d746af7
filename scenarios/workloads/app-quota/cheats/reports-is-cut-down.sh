# score: 0
# Room is made at reports' cost: 10m in place of 300m, and its memory limit too.
set -euo pipefail
kubectl -n "$NS" set resources deployment reports -c reports --requests=cpu=10m,memory=8Mi --limits=memory=8Mi
kubectl -n "$NS" rollout status deployment reports --timeout=90s
kubectl -n "$NS" set resources deployment "$FRONT" -c web --requests=cpu=400m,memory=32Mi
kubectl -n "$NS" set resources deployment "$BACK" -c web --limits=memory=64Mi
kubectl -n "$NS" rollout status deployment "$BACK" --timeout=90s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
