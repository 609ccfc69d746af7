# score: 0
# The old release had no such trouble, and the hole that was closed is open again.
set -euo pipefail
for app in search gateway; do kubectl -n "$NS" rollout undo deployment $app; done
kubectl -n "$NS" rollout status deployment gateway --timeout=90s
kubectl -n "$NS" rollout status deployment search --timeout=120s
