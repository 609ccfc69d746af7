# score: 100
set -euo pipefail
# A taint keeps them away, and a condition made it.
kubectl describe node "$NODE_WORKER_2" | grep -E 'Taints|Pressure|Eviction' || true
# How much is free, and how much should be?
ssh worker-2 'df -h /var/lib/kubelet; sudo grep -A4 ^evictionHard /var/lib/kubelet/config.yaml; sudo cat /var/lib/kubelet/kubeadm-flags.env'
if [ "$VARIANT" = configuration ]; then
  ssh worker-2 "sudo sed -i -E 's/^( +nodefs\.available:).*/\1 1Gi/' /var/lib/kubelet/config.yaml"
else
  ssh worker-2 "sudo sed -i -E 's/--eviction-hard=[^ \"]* //' /var/lib/kubelet/kubeadm-flags.env"
fi
ssh worker-2 sudo systemctl restart kubelet
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
