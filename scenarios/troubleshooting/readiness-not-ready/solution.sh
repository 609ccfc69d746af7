# score: 100
set -euo pipefail
# Running, and not ready: what does the probe hear?
kubectl -n "$NS" get pods -o wide
kubectl -n "$NS" describe pods -l app="$APP" | grep -m1 'Readiness probe failed' || true
# 404: nobody answers at that path. Which pages does the application have, and which one does the probe ask for?
kubectl -n "$NS" get configmap "$APP-site" -o jsonpath='{.data.default\.conf}'
kubectl -n "$NS" get deployment "$APP" -o jsonpath='{.spec.template.spec.containers[0].readinessProbe.httpGet}{"\n"}'
# Ask the page that knows. The pods whose index is not complete go on saying no, as they should.
kubectl -n "$NS" patch deployment "$APP" -p "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"web\",\"readinessProbe\":{\"httpGet\":{\"path\":\"$HEALTH\"}}}]}}}}"
# Two of four are ready again; "rollout status" would wait for all of them.
kubectl -n "$NS" wait deployment "$APP" --for=jsonpath='{.status.readyReplicas}'=2 --timeout=150s
kubectl -n "$NS" get pods -o wide
