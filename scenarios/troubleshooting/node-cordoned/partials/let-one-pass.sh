# score: 50
# This application is let in. Everybody else still stands outside.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type merge -p '{"spec":{"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":1}},"template":{"spec":{"tolerations":[{"key":"node.kubernetes.io/unschedulable","operator":"Exists"},{"key":"'"$KEY"'","operator":"Exists"}]}}}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
