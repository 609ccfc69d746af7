# score: 25; variants: ndots
# The argument is settled, and nobody can read about it.
if [ -z "$TAIL" ]; then first=2; else first=3; fi
printf '%s\n' "$first" 1 > ~/questions.txt
