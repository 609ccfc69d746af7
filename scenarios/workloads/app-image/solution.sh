# score: 100
set -euo pipefail
# Only the new pods fail, and they wait for an image.
kubectl -n "$NS" get pods -o wide
kubectl -n "$NS" get events | grep -E 'Failed to pull' | tail -n 3 || true
kubectl -n "$NS" get deployments -o wide
# The site's release is right but for the tag: change only that.
kubectl -n "$NS" set image deployment/web web=nginx:1.29
# The feed was not to change: give it back what it had.
kubectl -n "$NS" rollout undo deployment feed
kubectl -n "$NS" rollout status deployment web --timeout=120s
kubectl -n "$NS" rollout status deployment feed --timeout=120s
