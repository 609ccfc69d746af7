# score: 50
# The table is right. The addresses stand one below the other.
set -euo pipefail
column='.status.addresses[?(@.type=="InternalIP")].address'
kubectl get nodes --no-headers -o custom-columns="IP:$column" > /home/candidate/addresses.txt
kubectl get nodes -l rack="$RACK" --no-headers -o custom-columns="NAME:.metadata.name,IP:$column" > /home/candidate/rack.txt
