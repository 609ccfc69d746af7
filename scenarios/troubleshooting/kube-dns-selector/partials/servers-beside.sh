# score: 50
# The Service wants another label, so servers with that label are started. The cluster's own ones still serve nobody.
set -euo pipefail
kubectl -n kube-system get deployment coredns -o json |
  jq --arg wanted "$LABEL" '.metadata = {name: "cluster-dns", namespace: "kube-system"} | del(.status)
      | .spec.selector.matchLabels = {"k8s-app": $wanted} | .spec.template.metadata.labels = {"k8s-app": $wanted}' |
  kubectl apply -f -
kubectl -n kube-system rollout status deployment cluster-dns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
