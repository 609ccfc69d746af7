# score: 100
# The two nodes that the balancer knows, by their names.
set -euo pipefail
kubectl -n "$NS" patch daemonset "$APP" --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"nodeSelector\":null,\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[{\"matchExpressions\":[{\"key\":\"kubernetes.io/hostname\",\"operator\":\"In\",\"values\":[\"$NODE_WORKER_1\",\"$NODE_WORKER_2\"]}]}]}}}}}}}"
kubectl -n "$NS" rollout status daemonset "$APP" --timeout=150s
