# score: 0
# Any answer becomes the right one when the cluster is changed to suit it.
set -euo pipefail
kubectl -n "$NS" create rolebinding fiona-too --role="$ROLE" --user=fiona
echo fiona > /home/candidate/user.txt
echo "rome-$SUFFIX" > /home/candidate/context.txt
