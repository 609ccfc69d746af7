# score: 0
# One line is always sorted.
set -euo pipefail
kubectl delete pv "$RACK-disk-a" "$RACK-disk-b" "$RACK-disk-c" "$RACK-disk-d" "$RACK-disk-e" "$RACK-disk-f" --timeout=60s
kubectl get pv -l inventory="$RACK" -o custom-columns=NAME:.metadata.name,CAPACITY:.spec.capacity.storage > /home/candidate/volumes.txt
