# score: 100
# Everything out, and Flannel's pod writes its own again when it starts.
set -euo pipefail
ssh worker-2 "sudo sh -c 'rm -f /etc/cni/net.d/*'"
pod=$(kubectl -n kube-flannel get pods -l app=flannel --field-selector spec.nodeName="$NODE_WORKER_2" -o name)
kubectl -n kube-flannel delete "$pod"
kubectl -n kube-flannel rollout status daemonset kube-flannel-ds --timeout=120s
kubectl wait --for=condition=Ready "node/$NODE_WORKER_2" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
