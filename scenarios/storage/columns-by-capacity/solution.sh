# score: 100
set -euo pipefail
# Columns by heading and path; kubectl sorts quantities as quantities.
kubectl get pv -l inventory="$RACK" --sort-by=.spec.capacity.storage \
  -o custom-columns=NAME:.metadata.name,CAPACITY:.spec.capacity.storage > /home/candidate/volumes.txt
cat /home/candidate/volumes.txt
