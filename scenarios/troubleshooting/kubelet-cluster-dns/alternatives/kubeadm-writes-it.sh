# score: 100
# The cluster remembers what kubelets are told: kubeadm writes the node's file anew.
set -euo pipefail
ssh worker-2 'sudo kubeadm upgrade node phase kubelet-config && sudo systemctl restart kubelet'
kubectl -n "$NS" rollout restart daemonset "$APP"
kubectl -n "$OPS" rollout restart daemonset "$AGENT"
kubectl -n "$NS" rollout status daemonset "$APP" --timeout=120s
kubectl -n "$OPS" rollout status daemonset "$AGENT" --timeout=120s
