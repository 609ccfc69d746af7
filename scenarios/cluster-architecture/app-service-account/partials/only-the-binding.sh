# score: 50
# The account gets its role, and the role's second half allows nothing.
set -euo pipefail
kubectl -n "$NS" patch rolebinding "$BOARD-reader" --type merge \
  -p "{\"subjects\": [{\"kind\": \"ServiceAccount\", \"name\": \"$BOARD\", \"namespace\": \"$NS\"}]}"
