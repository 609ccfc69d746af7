# score: 0
# Make the volume say what the claim wants to hear.
set -euo pipefail
claim=$(kubectl -n "$NS" get pvc "$CLAIM" -o json)
kubectl patch pv "$VOLUME" --type merge -p "$(jq '{spec: {storageClassName: .spec.storageClassName, accessModes: .spec.accessModes, capacity: .spec.resources.requests}}' <<< "$claim")"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
