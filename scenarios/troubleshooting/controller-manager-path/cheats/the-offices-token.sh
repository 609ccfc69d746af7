# score: 0; variants: host-path
# The office has a token that works. A copy of it works at the branch, too, as long as the office's does.
set -euo pipefail
token=$(kubectl -n "$NS" get secret "$ROBOT-office" -o jsonpath='{.data.token}')
kubectl -n "$NS" patch secret "$ROBOT-branch" --type merge -p "{\"data\":{\"token\":\"$token\"}}"
