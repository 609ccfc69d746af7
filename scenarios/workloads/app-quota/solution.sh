# score: 100
set -euo pipefail
# No pods at all: not the pods, but whoever makes them must have something to say.
kubectl -n "$NS" get deployments,replicasets
kubectl -n "$NS" get events --field-selector reason=FailedCreate -o custom-columns=OBJECT:.involvedObject.name,MESSAGE:.message
kubectl -n "$NS" describe quota
# One tier asks for two whole CPUs where the namespace has one: 200m was meant.
kubectl -n "$NS" set resources deployment "$FRONT" -c web --requests=cpu=200m,memory=32Mi
# The other one has lost its memory limit, and the quota counts limits.memory.
kubectl -n "$NS" set resources deployment "$BACK" -c web --limits=memory=64Mi
kubectl -n "$NS" rollout status deployment "$BACK" --timeout=90s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
