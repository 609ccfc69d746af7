# score: 60
set -euo pipefail
kubectl -n "$NS" patch service prices -p '{"spec":{"selector":{"app":"prices"}}}'
