# score: 100
# A flag wins over the file.
set -euo pipefail
address=$(kubectl -n kube-system get service kube-dns -o jsonpath='{.spec.clusterIP}')
ssh worker-2 "sudo sed -i 's#^KUBELET_KUBEADM_ARGS=\"#&--cluster-dns=$address --cluster-domain=cluster.local #' /var/lib/kubelet/kubeadm-flags.env && sudo systemctl restart kubelet"
kubectl -n "$NS" delete pods -l app="$APP"
kubectl -n "$OPS" delete pods -l app="$AGENT"
kubectl -n "$NS" rollout status daemonset "$APP" --timeout=90s
kubectl -n "$OPS" rollout status daemonset "$AGENT" --timeout=90s
