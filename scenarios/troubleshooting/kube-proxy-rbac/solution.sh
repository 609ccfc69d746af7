# score: 100
set -euo pipefail
# Everything is Running. What does the component say that makes the way from a Service to its pods?
kubectl -n kube-system logs -l k8s-app=kube-proxy --tail=3
# "is forbidden": who may do what is decided by a role and by what binds it to the account.
kubectl get clusterrolebinding kubeadm:node-proxier -o yaml
kubectl describe clusterrole system:node-proxier
# The account of kube-proxy is kube-system/kube-proxy: that is whom the binding has to name.
kubectl patch clusterrolebinding kubeadm:node-proxier --type merge \
  -p '{"subjects":[{"kind":"ServiceAccount","name":"kube-proxy","namespace":"kube-system"}]}'
# kube-proxy follows services and endpointslices; a role without either is not enough.
if ! kubectl describe clusterrole system:node-proxier | grep -q endpointslices; then
  kubectl patch clusterrole system:node-proxier --type json \
    -p '[{"op":"add","path":"/rules/-","value":{"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],"verbs":["list","watch"]}}]'
fi
# It would try again by itself within a minute; a restart makes it now.
kubectl -n kube-system rollout restart daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
