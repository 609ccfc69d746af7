# score: 100
# Leave the Services; a second Deployment's pods carry the label that they ask for.
set -euo pipefail
kubectl -n "$NS" get deployment prices -o json |
  jq '.metadata = {name: "price", namespace: .metadata.namespace} | .spec.selector.matchLabels.app = "price" | .spec.template.metadata.labels.app = "price" | del(.status)' |
  kubectl apply -f -
kubectl -n "$NS" rollout status deployment price --timeout=120s
