# score: 0
# What is asked for is surely among it.
set -euo pipefail
kubectl get pods -A -o jsonpath='{range .items[*]}{.metadata.namespace}{" "}{.metadata.name}{" "}{.spec.containers[*].image}{"\n"}{end}' > /home/candidate/images.txt
