# score: 0
# The workload has no trouble on the other worker.
set -euo pipefail
kubectl -n "$NS" patch deployment "$JOB" --type merge -p '{"spec":{"template":{"spec":{"nodeSelector":null}}}}'
kubectl -n "$NS" patch deployment "$JOB" --type merge -p '{"spec":{"template":{"spec":{"tolerations":null}}}}'
kubectl -n "$NS" rollout status deployment "$JOB" --timeout=120s
