# score: 100; variants: network
# A ConfigMap by another name with the right settings, and the DaemonSet takes it from there. Its update starts all pods anew.
set -euo pipefail
kubectl -n kube-flannel get configmap kube-flannel-cfg -o json | jq '.metadata = {name: "flannel-settings", namespace: "kube-flannel"} | .data["net-conf.json"] = "{\"Network\": \"10.244.0.0/16\", \"Backend\": {\"Type\": \"vxlan\"}}"' | kubectl create -f -
kubectl -n kube-flannel get daemonset kube-flannel-ds -o json | jq '(.spec.template.spec.volumes[] | select(.configMap) | .configMap.name) = "flannel-settings"' | kubectl replace -f -
kubectl -n kube-flannel rollout status daemonset kube-flannel-ds --timeout=180s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
