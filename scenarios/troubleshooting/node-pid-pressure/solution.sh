# score: 100
set -euo pipefail
# What keeps them waiting, and what does the node say of itself?
kubectl -n "$NS" get events --field-selector reason=FailedScheduling -o jsonpath='{.items[0].message}{"\n"}'
kubectl describe node "$NODE_WORKER_2" | grep -E 'Taints|Pressure|pods:' || true
# How do its settings differ from those of the other worker?
diff <(ssh worker-1 sudo cat /var/lib/kubelet/config.yaml) <(ssh worker-2 sudo cat /var/lib/kubelet/config.yaml) || true
ssh worker-2 "sudo sed -i -E '/^ +pid\.available:/d; /^maxPods:/d' /var/lib/kubelet/config.yaml; sudo systemctl restart kubelet"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
