# score: 50
# Every node is in the table, also those of other racks.
set -euo pipefail
kubectl get nodes -o jsonpath='{.items[*].status.addresses[?(@.type=="InternalIP")].address}' > /home/candidate/addresses.txt
kubectl get nodes -o jsonpath='{range .items[*]}{.metadata.name}{" "}{.status.addresses[?(@.type=="InternalIP")].address}{"\n"}{end}' > /home/candidate/rack.txt
