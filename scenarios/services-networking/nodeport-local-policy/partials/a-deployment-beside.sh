# score: 60
# A second program for the silent node, beside the DaemonSet that still leaves it out. It gets no update when the others do.
set -euo pipefail
kubectl -n "$NS" get daemonset "$APP" -o json |
  jq --arg name "$APP-extra" --arg node "$NODE_WORKER_2" '{apiVersion: "apps/v1", kind: "Deployment", metadata: {name: $name, namespace: .metadata.namespace},
      spec: {replicas: 1, selector: {matchLabels: {extra: "true"}}, template: (.spec.template | .metadata.labels.extra = "true" | .spec |= (del(.nodeSelector) | .nodeName = $node))}}' |
  kubectl create -f -
kubectl -n "$NS" rollout status deployment "$APP-extra" --timeout=90s
