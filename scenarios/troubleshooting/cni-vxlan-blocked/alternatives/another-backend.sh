# score: 100; variants: firewall
# All nodes are on one network, so routes to each other will do and nothing needs that port.
set -euo pipefail
kubectl -n kube-flannel get configmap kube-flannel-cfg -o json | jq '.data["net-conf.json"] |= (fromjson | .Backend.Type = "host-gw" | tojson)' | kubectl replace -f -
kubectl -n kube-flannel rollout restart daemonset kube-flannel-ds
kubectl -n kube-flannel rollout status daemonset kube-flannel-ds --timeout=180s
