# score: 60
# All that was asked for, from z to a.
set -euo pipefail
kubectl get pods -A -l audit="$AUDIT" --sort-by=.metadata.namespace \
  -o jsonpath='{range .items[*]}{.metadata.namespace}{" "}{.metadata.name}{" "}{.spec.containers[*].image}{"\n"}{end}' | tac > /home/candidate/images.txt
