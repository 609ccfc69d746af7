# score: 50
# The feed is back, and so is the old site: tonight there is no release.
set -euo pipefail
kubectl -n "$NS" rollout undo deployment web
kubectl -n "$NS" rollout undo deployment feed
kubectl -n "$NS" rollout status deployment web --timeout=120s
kubectl -n "$NS" rollout status deployment feed --timeout=120s
