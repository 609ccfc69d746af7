# score: 100; variants: either
# The same, sorted, with a line's end at the end or without.
set -euo pipefail
printf kube-flannel/kube-flannel-ds >/home/candidate/agent.txt
{ echo "$PARTNER/$READER"; echo "$NS/$FRONT"; [ "$VARIANT" = both ] || printf '%s\n' "$PARTNER/$WRITER" "$NS/$BATCH"; } | sort -r >/home/candidate/let-in.txt
printf '%s\n%s' "$NS/$BATCH" "$NS/$FRONT" >/home/candidate/no-names.txt
