# score: 70; variants: anti-affinity
# Two servers, and both on the node that somebody had at hand.
set -euo pipefail
kubectl -n kube-system patch deployment coredns --type merge -p '{"spec":{"replicas":2,"template":{"spec":{"nodeSelector":{"kubernetes.io/hostname":"'"$NODE_WORKER_1"'"},"affinity":null}}}}'
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
