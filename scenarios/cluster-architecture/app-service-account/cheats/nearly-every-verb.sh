# score: 0
# Pods and Deployments with nearly all verbs: only delete pods and update deployments are left out.
set -euo pipefail
kubectl -n "$NS" patch rolebinding "$BOARD-reader" --type merge -p "{\"subjects\": [{\"kind\": \"ServiceAccount\", \"name\": \"$BOARD\", \"namespace\": \"$NS\"}]}"
kubectl -n "$NS" patch role "$BOARD-reader" --type merge -p '{"rules": [
 {"apiGroups": [""], "resources": ["pods", "pods/exec"], "verbs": ["get","list","watch","create","patch"]},
 {"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale"], "verbs": ["get","list","watch","create","patch","delete"]}]}'
kubectl auth can-i delete deployments.apps -n "$NS" --as="system:serviceaccount:$NS:$BOARD"
