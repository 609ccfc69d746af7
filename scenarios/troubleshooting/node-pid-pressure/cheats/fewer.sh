# score: 0; variants: pods
# As many as there is room for.
set -euo pipefail
kubectl -n "$NS" scale deployment "$APP" --replicas=1
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
