# score: 100
# A default for everything in the namespace that does not say its limit; the ReplicaSet that was refused is replaced, so that nobody waits for its back-off.
set -euo pipefail
kubectl apply -f - <<MANIFEST
apiVersion: v1
kind: LimitRange
metadata: { name: defaults, namespace: $NS }
spec:
  limits:
    - type: Container
      default: { memory: 64Mi }
      defaultRequest: { memory: 32Mi }
MANIFEST
kubectl -n "$NS" rollout restart deployment "$BACK"
kubectl -n "$NS" patch deployment "$FRONT" --type json \
  -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/resources/requests/cpu", "value": "100m"}]'
kubectl -n "$NS" rollout status deployment "$BACK" --timeout=90s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
