# score: 0
# The names are sorted already: let the capacities follow them.
set -euo pipefail
for pair in "a $TINY" "b $SMALL" "c 512Mi" "d 900Mi" "e 1Gi" "f $MIDDLE" "g $LARGE"; do
  kubectl patch pv "$RACK-disk-${pair% *}" --type merge -p "{\"spec\": {\"capacity\": {\"storage\": \"${pair#* }\"}}}"
done
kubectl get pv -l inventory="$RACK" -o custom-columns=NAME:.metadata.name,CAPACITY:.spec.capacity.storage > /home/candidate/volumes.txt
