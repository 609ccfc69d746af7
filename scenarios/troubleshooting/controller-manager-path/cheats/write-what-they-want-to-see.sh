# score: 0; variants: key-file
# Statuses, a lease and a token, all by hand.
set -euo pipefail
generation=$(kubectl -n "$NS" get deployment "$APP" -o jsonpath='{.metadata.generation}')
kubectl -n "$NS" patch deployment "$APP" --subresource=status --type merge \
  -p "{\"status\":{\"observedGeneration\":$generation,\"replicas\":4,\"updatedReplicas\":4,\"readyReplicas\":4,\"availableReplicas\":4}}"
token=$(kubectl -n "$NS" create token "$ROBOT")
kubectl -n "$NS" patch secret "$ROBOT-branch" --type merge -p "{\"data\":{\"token\":\"$(printf %s "$token" | base64 -w0)\"}}"
kubectl -n kube-system patch lease kube-controller-manager --type merge \
  -p "{\"spec\":{\"holderIdentity\":\"${NODE_CONTROL_PLANE}_11111111-2222-3333-4444-555555555555\",\"renewTime\":\"$(date -u -d '+12 seconds' +%Y-%m-%dT%H:%M:%S.000000Z)\"}}"
