# score: 0
# One of them will be right.
for file in works stale missing ghost; do
  printf '%s\n' "$ONE" "$TWO" "$MOVED" "$LATE" "$GHOST" > ~/$file.txt
done
