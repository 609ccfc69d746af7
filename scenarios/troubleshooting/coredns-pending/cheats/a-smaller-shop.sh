# score: 0; variants: tainted
# Whoever wants no new pod needs no place for one.
set -euo pipefail
kubectl -n kube-system patch deployment coredns --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"tolerations\":[{\"key\":\"$TAINT\",\"operator\":\"Exists\"}]}}}}"
kubectl -n "$NS" scale deployment "$FRONT" --replicas=2
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
