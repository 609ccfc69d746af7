# score: 100
set -euo pipefail
# The pods are ready, the pages are gone: what does the program that makes them say?
kubectl -n "$NS" logs "deploy/$BOARD" -c collector --tail=2
# Refused as system:serviceaccount:<namespace>:<name>. Whom does the binding name, and what does the role allow?
kubectl -n "$NS" get rolebinding "$BOARD-reader" -o jsonpath='{.subjects}{"\n"}'
kubectl -n "$NS" get role "$BOARD-reader" -o jsonpath='{.rules}{"\n"}'
# The binding names an account of another namespace.
kubectl -n "$NS" patch rolebinding "$BOARD-reader" --type json \
  -p "[{\"op\": \"replace\", \"path\": \"/subjects/0/namespace\", \"value\": \"$NS\"}]"
# Deployments are in the API group apps; pods are in the core group, whose name is empty.
kubectl -n "$NS" patch role "$BOARD-reader" --type merge -p '{"rules": [
  {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
  {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "watch"]}]}'
# No restart: every request is judged anew.
kubectl auth can-i list pods -n "$NS" --as="system:serviceaccount:$NS:$BOARD"
kubectl auth can-i list deployments.apps -n "$NS" --as="system:serviceaccount:$NS:$BOARD"
