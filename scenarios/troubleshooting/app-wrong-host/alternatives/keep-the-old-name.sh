# score: 100
# The name that everybody was given gets a Service that stands for the API's own. Nothing needs a restart.
set -euo pipefail
kubectl -n "$DATA" create service externalname "$OLD" --external-name="$API.$DATA.svc.cluster.local"
