# score: 0
# reports has to go so that the front tier may have 400m: its pod is ended, and its Deployment asks for what it cannot get.
set -euo pipefail
kubectl -n "$NS" patch deployment reports -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null},"template":{"spec":{"containers":[{"name":"reports","resources":{"requests":{"cpu":"2"}}}]}}}}'
kubectl -n "$NS" set resources deployment "$BACK" -c web --limits=memory=64Mi
kubectl -n "$NS" rollout status deployment "$BACK" --timeout=90s
kubectl -n "$NS" set resources deployment "$FRONT" -c web --requests=cpu=400m,memory=32Mi
for i in $(seq 30); do kubectl -n "$NS" get pods -l app=reports -o name | grep -q . || break; sleep 1; done
kubectl -n "$NS" rollout restart deployment "$FRONT"
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
