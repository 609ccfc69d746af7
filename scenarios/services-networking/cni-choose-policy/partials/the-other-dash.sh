# score: 60
# One entry read as two, or two as one.
set -euo pipefail
echo kube-flannel/kube-flannel-ds >/home/candidate/agent.txt
printf '%s\n' "$NS/$FRONT" "$PARTNER/$READER" >/home/candidate/let-in.txt
[ "$VARIANT" = either ] || printf '%s\n' "$NS/$BATCH" "$PARTNER/$WRITER" >>/home/candidate/let-in.txt
printf '%s\n' "$NS/$FRONT" "$NS/$BATCH" >/home/candidate/no-names.txt
