# score: 100
set -euo pipefail
# What do the pods wait for?
kubectl -n "$NS" get events --field-selector reason=FailedCreatePodSandBox -o jsonpath='{.items[0].message}' || true
# Flannel writes that file. Its pod on this node ends again and again, and says why.
pod=$(kubectl -n kube-flannel get pods -l app=flannel --field-selector spec.nodeName="$NODE_WORKER_2" -o name)
kubectl -n kube-flannel logs "$pod" -c kube-flannel --tail=3 || true
kubectl -n kube-flannel get configmap kube-flannel-cfg -o jsonpath='{.data.net-conf\.json}'
# What the cluster has given to its nodes, and how the nodes that run carry packets.
kubectl get nodes -o jsonpath='{range .items[*]}{.spec.podCIDR} {.metadata.annotations.flannel\.alpha\.coreos\.com/backend-type}{"\n"}{end}'
network=$(kubectl -n kube-system get configmap kubeadm-config -o jsonpath='{.data.ClusterConfiguration}' | sed -n 's/^ *podSubnet: *//p')
kubectl -n kube-flannel get configmap kube-flannel-cfg -o json |
  jq --arg network "$network" '.data["net-conf.json"] |= (fromjson | .Network = $network | .Backend.Type = "vxlan" | tojson)' | kubectl replace -f -
# It is read at the start, so on every node: then they all run with what is written.
kubectl -n kube-flannel rollout restart daemonset kube-flannel-ds
kubectl -n kube-flannel rollout status daemonset kube-flannel-ds --timeout=180s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
