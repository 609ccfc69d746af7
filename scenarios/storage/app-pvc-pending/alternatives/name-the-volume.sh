# score: 100
# Replace the claim by one that says which volume it wants; class, modes and size are copied from that volume.
set -euo pipefail
kubectl get pv "$VOLUME" -o json |
  jq --arg name "$CLAIM" --arg ns "$NS" '{apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: {name: $name, namespace: $ns},
    spec: {volumeName: .metadata.name, storageClassName: .spec.storageClassName, accessModes: .spec.accessModes, resources: {requests: .spec.capacity}}}' > /tmp/claim.json
kubectl replace --force --timeout=60s -f /tmp/claim.json
kubectl -n "$NS" wait pvc "$CLAIM" --for=jsonpath='{.status.phase}'=Bound --timeout=60s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
