# score: 0
# The name and today's addresses, written into the router's pods.
set -euo pipefail
aliases=$(kubectl -n "$NS" get pods -l app="$STORE" -o json | jq -c --arg name "$STORE.$NS.svc.cluster.local" '[.items[] | {ip: .status.podIP, hostnames: [$name]}]')
kubectl -n "$NS" patch deployment router --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"hostAliases\":$aliases}}}}"
kubectl -n "$NS" rollout status deployment router --timeout=120s
