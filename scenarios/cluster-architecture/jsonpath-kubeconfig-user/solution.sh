# score: 100
set -euo pipefail
# Whom do the bindings to that role name, in that namespace?
kubectl -n "$NS" get rolebindings -o jsonpath="{range .items[?(@.roleRef.name==\"$ROLE\")]}{.subjects[?(@.kind==\"User\")].name}{\"\n\"}{end}" | sort > /tmp/have-it
# And who is in the kubeconfig?
kubectl config view --kubeconfig=/home/candidate/team.kubeconfig -o jsonpath='{range .users[*]}{.name}{"\n"}{end}' | sort > /tmp/users
user=$(comm -12 /tmp/have-it /tmp/users)
echo "$user" > /home/candidate/user.txt
# The context that works as this user.
kubectl config view --kubeconfig=/home/candidate/team.kubeconfig -o jsonpath="{.contexts[?(@.context.user==\"$user\")].name}" > /home/candidate/context.txt
