# score: 60
# Mended at once, and with the traces the answers are gone.
set -euo pipefail
kubectl -n kube-system patch daemonset kube-proxy --type json \
  -p '[{"op":"replace","path":"/spec/template/spec/nodeSelector","value":{"kubernetes.io/os":"linux"}}]'
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
