# score: 0
# Pods that fit are made by hand, with the labels that the Services look for.
set -euo pipefail
for tier in "$FRONT" "$BACK"; do
  kubectl -n "$NS" get deployment "$tier" -o json |
    jq --arg tier "$tier" '{apiVersion: "v1", kind: "Pod", metadata: {name: ($tier + "-hotfix"), namespace: .metadata.namespace, labels: .spec.template.metadata.labels},
      spec: (.spec.template.spec | .containers[0].resources = {requests: {cpu: "50m", memory: "32Mi"}, limits: {memory: "64Mi"}})}' |
    kubectl apply -f -
  kubectl -n "$NS" wait pod "$tier-hotfix" --for=condition=Ready --timeout=90s
done
