# score: 100
set -euo pipefail
address='[.status.addresses[] | select(.type == "InternalIP") | .address][0]'
kubectl get nodes -o json | jq -r "[.items | sort_by(.metadata.name)[] | $address] | join(\" \")" > /home/candidate/addresses.txt
kubectl get nodes -l rack="$RACK" -o json | jq -r ".items[] | .metadata.name + \"   \" + $address" > /home/candidate/rack.txt
