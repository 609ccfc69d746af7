# score: 0
# A smaller rack makes a shorter table.
set -euo pipefail
kubectl label nodes "$NODE_CONTROL_PLANE" rack-
kubectl get nodes -o jsonpath='{.items[*].status.addresses[?(@.type=="InternalIP")].address}' > /home/candidate/addresses.txt
kubectl get nodes -l rack="$RACK" -o jsonpath='{range .items[*]}{.metadata.name}{" "}{.status.addresses[?(@.type=="InternalIP")].address}{"\n"}{end}' > /home/candidate/rack.txt
