# score: 0
# The one name that the application needs, in its own hosts file.
set -euo pipefail
address=$(kubectl get node "$NODE_WORKER_2" -o json | jq -r '.status.addresses[] | select(.type == "InternalIP").address' | head -n 1)
kubectl -n "$NS" patch deployment "$APP" --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"hostAliases\":[{\"ip\":\"$address\",\"hostnames\":[\"$NODE_WORKER_2\"]}]}}}}"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s || true
