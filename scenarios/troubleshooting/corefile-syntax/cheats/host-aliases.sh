# score: 0; variants: directive
# The one name, written into the one application's pods.
set -euo pipefail
kubectl -n "$NS" patch deployment "$APP" --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"hostAliases\":[{\"ip\":\"$IP\",\"hostnames\":[\"$HOST.$ZONE\"]}]}}}}"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
