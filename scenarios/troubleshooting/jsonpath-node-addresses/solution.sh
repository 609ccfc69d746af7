# score: 100
set -euo pipefail
# A list begins at .items; the filter takes one kind of address of each node.
kubectl get nodes --sort-by=.metadata.name -o jsonpath='{.items[*].status.addresses[?(@.type=="InternalIP")].address}' > /home/candidate/addresses.txt
# A line for each node of the rack.
kubectl get nodes -l rack="$RACK" -o jsonpath='{range .items[*]}{.metadata.name}{"\t"}{.status.addresses[?(@.type=="InternalIP")].address}{"\n"}{end}' > /home/candidate/rack.txt
cat /home/candidate/addresses.txt; echo; cat /home/candidate/rack.txt
