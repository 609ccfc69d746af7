# score: 50
# The team has its data back. The DaemonSet still leaves the node out: a copy made for this one node does its work.
set -euo pipefail
kubectl -n kube-system get daemonset kube-proxy -o json |
  jq --arg pool "$POOL" '.metadata = {name: "kube-proxy-extra", namespace: "kube-system"} | del(.status)
      | .spec.selector.matchLabels = {app: "kube-proxy-extra"} | .spec.template.metadata.labels = {app: "kube-proxy-extra"}
      | .spec.template.spec.nodeSelector = {"example.com/pool": $pool} | .spec.template.spec.tolerations = [{operator: "Exists"}]' |
  kubectl apply -f -
kubectl -n kube-system rollout status daemonset kube-proxy-extra --timeout=120s
