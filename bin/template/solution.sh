# score: 100
set -euo pipefail
kubectl -n "$NS" get endpointslices
for service in prices prices-partners; do
  kubectl -n "$NS" patch service $service -p '{"spec":{"selector":{"app":"prices"}}}'
done
