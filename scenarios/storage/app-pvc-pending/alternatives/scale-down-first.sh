# score: 100
# Nobody uses the claim while it is exchanged.
set -euo pipefail
kubectl -n "$NS" scale deployment "$APP" --replicas=0
kubectl -n "$NS" wait pods -l app="$APP" --for=delete --timeout=60s
kubectl -n "$NS" get pvc "$CLAIM" -o json |
  jq --arg class "$CLASS" '{apiVersion, kind, metadata: {name: .metadata.name, namespace: .metadata.namespace, labels: .metadata.labels},
    spec: {storageClassName: $class, accessModes: ["ReadWriteOnce"], resources: {requests: {storage: "2Gi"}}}}' > /tmp/claim.json
kubectl -n "$NS" delete pvc "$CLAIM" --timeout=60s
kubectl create -f /tmp/claim.json
kubectl -n "$NS" scale deployment "$APP" --replicas=1
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
