# score: 0
# A shorter audit is a quicker one.
set -euo pipefail
kubectl -n "$FIRST" label pods --all audit-
kubectl get pods -A -l audit="$AUDIT" -o jsonpath='{range .items[*]}{.metadata.namespace}{" "}{.metadata.name}{" "}{.spec.containers[*].image}{"\n"}{end}' > /home/candidate/images.txt
