# score: 100
set -euo pipefail
kubectl get pv -l inventory="$RACK" -o json | jq -r '
  def mebibytes: if endswith("Gi") then (rtrimstr("Gi") | tonumber * 1024) else (rtrimstr("Mi") | tonumber) end;
  "NAME CAPACITY", (.items | sort_by(.spec.capacity.storage | mebibytes)[] | "\(.metadata.name) \(.spec.capacity.storage)")' > /home/candidate/volumes.txt
