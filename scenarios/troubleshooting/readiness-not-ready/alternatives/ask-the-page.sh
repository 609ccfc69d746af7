# score: 100
# The probe reads the page that the users get.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type json -p '[{"op":"replace","path":"/spec/template/spec/containers/0/readinessProbe","value":{"exec":{"command":["sh","-c","grep -q \"all results\" /state/page"]},"periodSeconds":2,"timeoutSeconds":10}}]'
kubectl -n "$NS" wait deployment "$APP" --for=jsonpath='{.status.readyReplicas}'=2 --timeout=150s
