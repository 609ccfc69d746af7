# score: 100; variants: role
# The role is one of the API server's own: at its start it adds what is missing there.
set -euo pipefail
ssh control-plane 'sudo crictl stop $(sudo crictl ps -q --name kube-apiserver)'
for i in $(seq 100); do
  if kubectl get clusterrole system:node-proxier -o jsonpath='{.rules[*].resources}' 2>/dev/null | grep -q endpointslices; then break; fi
  sleep 1
done
kubectl -n kube-system rollout restart daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
