# score: 40
# What is written is right now. The process that runs has read what was there before.
set -euo pipefail
if [ "$VARIANT" = configuration ]; then
  ssh worker-2 "sudo sed -i -E 's/^( +nodefs\.available:).*/\1 1Gi/' /var/lib/kubelet/config.yaml"
else
  ssh worker-2 "sudo sed -i -E 's/--eviction-hard=[^ \"]* //' /var/lib/kubelet/kubeadm-flags.env"
fi
