# score: 100
# Back to where it was safe, then the release again, as it was meant.
set -euo pipefail
kubectl -n "$NS" rollout undo deployment web
kubectl -n "$NS" rollout undo deployment feed
kubectl -n "$NS" rollout status deployment web --timeout=120s
kubectl -n "$NS" get deployment web -o yaml | sed -E "s/value: r[0-9]+\$/value: $RELEASE/; s/image: nginx:.*/image: nginx:1.29/" | kubectl apply -f -
kubectl -n "$NS" rollout status deployment web --timeout=120s
kubectl -n "$NS" rollout status deployment feed --timeout=120s
