# score: 75
# The new site is out, on a web server that nobody has planned.
set -euo pipefail
kubectl -n "$NS" set image deployment/web web=nginx:1.28
kubectl -n "$NS" set image deployment/feed feed=registry.k8s.io/e2e-test-images/agnhost:2.59
kubectl -n "$NS" rollout status deployment web --timeout=120s
kubectl -n "$NS" rollout status deployment feed --timeout=120s
