# score: 100
# No label to forget: the DaemonSet runs on every node that takes ordinary pods.
set -euo pipefail
kubectl -n "$NS" patch daemonset "$APP" --type json -p '[{"op":"remove","path":"/spec/template/spec/nodeSelector"}]'
kubectl -n "$NS" rollout status daemonset "$APP" --timeout=150s
