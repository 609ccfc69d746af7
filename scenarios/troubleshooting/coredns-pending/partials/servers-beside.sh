# score: 70; variants: node-selector
# Pods with the right label are all that the Service asks for. The Deployment goes on waiting.
set -euo pipefail
kubectl -n kube-system get deployment coredns -o json |
  jq --arg key "$LABEL" '.metadata = {name: "dns-hotfix", namespace: "kube-system"} | del(.status, .spec.template.spec.nodeSelector[$key]) | .spec.replicas = 2
      | .spec.selector.matchLabels = {"k8s-app": "kube-dns", "run": "dns-hotfix"} | .spec.template.metadata.labels = {"k8s-app": "kube-dns", "run": "dns-hotfix"}' |
  kubectl apply -f -
kubectl -n kube-system rollout status deployment dns-hotfix --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
