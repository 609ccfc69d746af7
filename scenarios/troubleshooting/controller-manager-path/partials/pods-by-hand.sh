# score: 25; variants: host-path
# Be the ReplicaSet's controller for a minute.
set -euo pipefail
pod=pod/$(kubectl -n "$NS" get pods -l app="$APP" -o jsonpath="{.items[0].metadata.name}")
for one in 1 2; do
  kubectl -n "$NS" get "$pod" -o json |
    jq '{apiVersion, kind, metadata: (.metadata | {namespace, generateName, labels, ownerReferences}), spec: (.spec | del(.nodeName))}' |
    kubectl create -f -
done
kubectl -n "$NS" wait --for=condition=Ready pods -l app="$APP" --timeout=120s
