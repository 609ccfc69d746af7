# score: 100
# The release wants all applications to have the same page: give this one the page, with the same answer.
set -euo pipefail
kubectl -n "$NS" get configmap "$APP-site" -o yaml | sed "s#location = $HEALTH {#location = $WRONG {#" | kubectl apply -f -
kubectl -n "$NS" rollout restart deployment "$APP"
kubectl -n "$NS" wait deployment "$APP" --for=jsonpath='{.status.readyReplicas}'=2 --timeout=150s
