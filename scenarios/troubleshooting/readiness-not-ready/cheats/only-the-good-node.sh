# score: 0
# Without a probe, but where nothing is being rebuilt.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type json -p "[
  {\"op\":\"remove\",\"path\":\"/spec/template/spec/containers/0/readinessProbe\"},
  {\"op\":\"add\",\"path\":\"/spec/template/spec/nodeSelector\",\"value\":{\"kubernetes.io/hostname\":\"$NODE_WORKER_1\"}}]"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
