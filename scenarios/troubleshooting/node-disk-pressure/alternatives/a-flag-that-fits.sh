# score: 100
# Flags count first, so one that fits will do, wherever the other number stands.
set -euo pipefail
ssh worker-2 "sudo sed -i -E 's/--eviction-hard=[^ \"]* //; s/^KUBELET_KUBEADM_ARGS=\"/&--eviction-hard=nodefs.available<500Mi,nodefs.inodesFree<1k /' /var/lib/kubelet/kubeadm-flags.env; sudo systemctl restart kubelet"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
