# score: 0
# The administrator's own kubeconfig knows where the API server is.
set -euo pipefail
ssh control-plane sudo cat /etc/kubernetes/admin.conf | jq -Rs '{data: {"kubeconfig.conf": .}}' > /tmp/patch.json
kubectl -n kube-system patch configmap kube-proxy --type merge --patch-file /tmp/patch.json
kubectl -n kube-system rollout restart daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
for node in control-plane worker-1 worker-2; do
  for i in $(seq 30); do ssh $node curl -fsS --max-time 2 http://localhost:10256/healthz && break; sleep 1; done
done
