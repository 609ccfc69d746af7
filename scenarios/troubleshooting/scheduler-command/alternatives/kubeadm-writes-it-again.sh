# score: 100; variants: command
# Whatever was edited: kubeadm wrote this manifest once and can do so again.
set -euo pipefail
ssh control-plane 'sudo kubeadm init phase control-plane scheduler --kubernetes-version "$(kubeadm version -o short)"'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
