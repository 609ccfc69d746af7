# score: 100
set -euo pipefail
# What runs on every node, and may it read policies?
kubectl get daemonsets -A
kubectl auth can-i list networkpolicies -A --as system:serviceaccount:kube-flannel:flannel || true
echo kube-flannel/kube-flannel-ds >/home/candidate/agent.txt
# One entry with two selectors, or two entries?
kubectl -n "$NS" get networkpolicy who-comes-in -o json | jq -c '.spec.ingress[].from[]'
echo "$NS/$FRONT" >/home/candidate/let-in.txt
echo "$PARTNER/$READER" >>/home/candidate/let-in.txt
[ "$VARIANT" = both ] || printf '%s\n' "$NS/$BATCH" "$PARTNER/$WRITER" >>/home/candidate/let-in.txt
# Who may go to one place only?
kubectl -n "$NS" get pods -l tier=public -o jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.labels.app}{"\n"}{end}' >/home/candidate/no-names.txt
