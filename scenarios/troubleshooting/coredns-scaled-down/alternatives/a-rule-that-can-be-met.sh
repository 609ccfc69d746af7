# score: 100; variants: anti-affinity
# Required, but against one another only: never two servers on one node.
set -euo pipefail
kubectl -n kube-system patch deployment coredns --type merge -p '{"spec":{"template":{"spec":{"affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"kubernetes.io/hostname","labelSelector":{"matchLabels":{"k8s-app":"kube-dns"}}}]}}}}}}'
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
