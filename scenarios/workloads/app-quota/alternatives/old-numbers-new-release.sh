# score: 100
# Go back to what was running, then bring only the release's own change: its configuration.
set -euo pipefail
for tier in "$BACK" "$FRONT"; do
  kubectl -n "$NS" rollout undo deployment "$tier"
  kubectl -n "$NS" rollout status deployment "$tier" --timeout=90s
done
for tier in "$BACK" "$FRONT"; do
  kubectl -n "$NS" patch deployment "$tier" -p "{\"spec\": {\"template\": {
    \"metadata\": {\"labels\": {\"release\": \"r$RELEASE\"}},
    \"spec\": {\"volumes\": [{\"name\": \"conf\", \"configMap\": {\"name\": \"$tier-$RELEASE\"}}]}}}}"
  kubectl -n "$NS" rollout status deployment "$tier" --timeout=90s
done
