# score: 0
# If the volume does not suit the claim, a second one on the same disk does.
set -euo pipefail
kubectl get pv "$VOLUME" -o json |
  jq --argjson claim "$(kubectl -n "$NS" get pvc "$CLAIM" -o json)" '{apiVersion, kind, metadata: {name: (.metadata.name + "-b")}, spec: (.spec | del(.claimRef)
    | .storageClassName = $claim.spec.storageClassName | .accessModes = $claim.spec.accessModes | .capacity = $claim.spec.resources.requests)}' |
  kubectl create -f -
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
