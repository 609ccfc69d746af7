# score: 0
# Let kube-proxy sign in with the administrator's certificate.
set -euo pipefail
ssh control-plane sudo cat /etc/kubernetes/admin.conf |
  jq -Rs '{data: {"kubeconfig.conf": .}}' > /tmp/patch.json
kubectl -n kube-system patch configmap kube-proxy --type merge --patch-file /tmp/patch.json
kubectl -n kube-system rollout restart daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
