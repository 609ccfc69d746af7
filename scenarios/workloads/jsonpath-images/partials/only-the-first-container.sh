# score: 40
# Sorted, and the helpers are missing.
set -euo pipefail
kubectl get pods -A -l audit="$AUDIT" --sort-by=.metadata.namespace \
  -o jsonpath='{range .items[*]}{.metadata.namespace}{" "}{.metadata.name}{" "}{.spec.containers[0].image}{"\n"}{end}' > /home/candidate/images.txt
