# score: 100
# A second Service with the old name before the API's pods.
set -euo pipefail
kubectl -n "$DATA" expose deployment "$API" --name "$OLD" --port "$PORT" --target-port 8080
