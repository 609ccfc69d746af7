# score: 0
# A binding of the right name to a role of the right name, elsewhere.
set -euo pipefail
user=$(kubectl -n "$NS-test" get rolebindings -o jsonpath="{.items[?(@.roleRef.name==\"$ROLE\")].subjects[*].name}")
echo "$user" > /home/candidate/user.txt
kubectl config view --kubeconfig=/home/candidate/team.kubeconfig -o jsonpath="{.contexts[?(@.context.user==\"$user\")].name}" > /home/candidate/context.txt
