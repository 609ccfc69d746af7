# score: 100
# The template was right one revision ago.
set -euo pipefail
kubectl -n kube-system rollout history daemonset kube-proxy
kubectl -n kube-system rollout undo daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
