# score: 0
# A probe that everybody passes.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type json -p '[{"op":"replace","path":"/spec/template/spec/containers/0/readinessProbe","value":{"tcpSocket":{"port":8080},"periodSeconds":2}}]'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
