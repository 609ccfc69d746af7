# score: 50
# All volumes and a heading, and 10Gi stands before 512Mi.
set -euo pipefail
kubectl get pv -l inventory="$RACK" -o custom-columns=NAME:.metadata.name,CAPACITY:.spec.capacity.storage > /tmp/table
{ head -n 1 /tmp/table; tail -n +2 /tmp/table | LC_ALL=C sort -k2; } > /home/candidate/volumes.txt
