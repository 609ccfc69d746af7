# score: 100
# jsonpath for the lines, and a sort that knows units.
set -euo pipefail
{
  printf 'NAME\tCAPACITY\n'
  kubectl get pv -l inventory="$RACK" -o jsonpath='{range .items[*]}{.metadata.name}{"\t"}{.spec.capacity.storage}{"\n"}{end}' | sort -k2 -h
} > /home/candidate/volumes.txt
