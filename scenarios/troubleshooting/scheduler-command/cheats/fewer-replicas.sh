# score: 0; variants: image
# Two of two: everything runs.
set -euo pipefail
kubectl -n "$NS" scale deployment "$APP" --replicas=2
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
