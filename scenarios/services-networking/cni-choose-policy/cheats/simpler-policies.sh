# score: 0; variants: either
# The policies are made such that the answer is short.
set -euo pipefail
kubectl -n "$NS" patch networkpolicy who-comes-in --type json -p '[{"op":"remove","path":"/spec/ingress/0/from/2"}]'
echo kube-flannel/kube-flannel-ds >/home/candidate/agent.txt
printf '%s\n' "$NS/$FRONT" "$PARTNER/$READER" "$PARTNER/$WRITER" >/home/candidate/let-in.txt
printf '%s\n' "$NS/$FRONT" "$NS/$BATCH" >/home/candidate/no-names.txt
