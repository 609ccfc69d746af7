# score: 0; variants: address
# Whoever does not run on the node has no trouble with it.
set -euo pipefail
for one in "$NS $APP" "$OPS $AGENT"; do
  kubectl -n "${one% *}" patch daemonset "${one#* }" --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[{\"matchExpressions\":[{\"key\":\"kubernetes.io/hostname\",\"operator\":\"NotIn\",\"values\":[\"$NODE_WORKER_2\"]}]}]}}}}}}}"
  kubectl -n "${one% *}" rollout status daemonset "${one#* }" --timeout=120s
done
