# score: 40
# The context is right. The file for the user has all that the binding names.
set -euo pipefail
kubectl -n "$NS" get rolebinding "on-call-$SUFFIX" -o jsonpath='{.subjects[*].name}' > /home/candidate/user.txt
user=$(kubectl -n "$NS" get rolebinding "on-call-$SUFFIX" -o jsonpath='{.subjects[?(@.kind=="User")].name}')
kubectl config view --kubeconfig=/home/candidate/team.kubeconfig -o jsonpath="{.contexts[?(@.context.user==\"$user\")].name}" > /home/candidate/context.txt
