# score: 0; variants: configuration
# The taint goes, and pods tolerate it. The node's agent refuses them, and the taint is back.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type merge -p '{"spec":{"template":{"spec":{"tolerations":[{"operator":"Exists"}]}}}}'
kubectl taint node "$NODE_WORKER_2" node.kubernetes.io/disk-pressure- || true
kubectl -n "$NS" rollout status deployment "$APP" --timeout=20s || true
