# score: 0
# The role is bound to whatever has an account: kube-proxy is one of them.
set -euo pipefail
kubectl patch clusterrolebinding kubeadm:node-proxier --type merge \
  -p '{"subjects":[{"kind":"Group","apiGroup":"rbac.authorization.k8s.io","name":"system:serviceaccounts"}]}'
if ! kubectl describe clusterrole system:node-proxier | grep -q endpointslices; then
  kubectl patch clusterrole system:node-proxier --type json \
    -p '[{"op":"add","path":"/rules/-","value":{"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],"verbs":["list","watch"]}}]'
fi
kubectl -n kube-system rollout restart daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
