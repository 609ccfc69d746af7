# score: 100
# The application notes its readiness in a file: look at that.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type json -p '[{"op":"replace","path":"/spec/template/spec/containers/0/readinessProbe","value":{"exec":{"command":["test","-f","/state/ready"]},"periodSeconds":2}}]'
kubectl -n "$NS" wait deployment "$APP" --for=jsonpath='{.status.readyReplicas}'=2 --timeout=150s
