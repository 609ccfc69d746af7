# score: 100
# Limits there are, and the machine can keep to them. One of them stands among the flags.
set -euo pipefail
ssh worker-2 "sudo sed -i -E 's/^( +pid\.available:).*/\1 5%/' /var/lib/kubelet/config.yaml
  sudo sed -i -E 's/^KUBELET_KUBEADM_ARGS=\"/&--max-pods=60 /' /var/lib/kubelet/kubeadm-flags.env; sudo systemctl restart kubelet"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
