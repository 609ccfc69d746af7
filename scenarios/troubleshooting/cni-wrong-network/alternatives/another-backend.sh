# score: 100; variants: backend
# All nodes are on one network: routes to each other will do. Then all of them have to.
set -euo pipefail
kubectl -n kube-flannel get configmap kube-flannel-cfg -o json | jq '.data["net-conf.json"] |= (fromjson | .Backend.Type = "host-gw" | tojson)' | kubectl replace -f -
kubectl -n kube-flannel rollout restart daemonset kube-flannel-ds
kubectl -n kube-flannel rollout status daemonset kube-flannel-ds --timeout=180s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
