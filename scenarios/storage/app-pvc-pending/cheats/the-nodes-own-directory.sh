# score: 0
# The documents lie on the node: mount its directory, and leave claims to others.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type json -p "[
  {\"op\": \"replace\", \"path\": \"/spec/template/spec/volumes/0\", \"value\": {\"name\": \"documents\", \"hostPath\": {\"path\": \"/srv/$CLASS/$VOLUME\"}}},
  {\"op\": \"add\", \"path\": \"/spec/template/spec/nodeSelector\", \"value\": {\"kubernetes.io/hostname\": \"$NODE_WORKER_2\"}}]"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
