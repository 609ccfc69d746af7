# score: 0
# One rule for everything in the core group, only list and watch.
set -euo pipefail
kubectl -n "$NS" patch rolebinding "$BOARD-reader" --type merge -p "{\"subjects\": [{\"kind\": \"ServiceAccount\", \"name\": \"$BOARD\", \"namespace\": \"$NS\"}]}"
kubectl -n "$NS" patch role "$BOARD-reader" --type merge -p '{"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["list", "watch"]}]}'
kubectl auth can-i list secrets -n "$NS" --as="system:serviceaccount:$NS:$BOARD"
