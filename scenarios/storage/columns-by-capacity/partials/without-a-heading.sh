# score: 80
set -euo pipefail
kubectl get pv -l inventory="$RACK" --sort-by=.spec.capacity.storage --no-headers \
  -o custom-columns=NAME:.metadata.name,CAPACITY:.spec.capacity.storage > /home/candidate/volumes.txt
