# score: 40
# All is understood, nothing is mended.
set -euo pipefail
printf '%s\n' "$ONE" "$TWO" > ~/works.txt
echo "$MOVED" > ~/stale.txt
echo "$LATE" > ~/missing.txt
echo "$GHOST" > ~/ghost.txt
