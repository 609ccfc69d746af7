# score: 90; variants: admission
# The servers are let in, with a right that they never needed.
set -euo pipefail
kubectl label namespace kube-system pod-security.kubernetes.io/enforce-
kubectl -n kube-system rollout restart deployment coredns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
