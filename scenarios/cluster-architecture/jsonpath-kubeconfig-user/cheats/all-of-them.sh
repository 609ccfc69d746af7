# score: 0
# One of them it must be.
set -euo pipefail
kubectl config view --kubeconfig=/home/candidate/team.kubeconfig -o jsonpath='{.users[*].name}' > /home/candidate/user.txt
kubectl config get-contexts --kubeconfig=/home/candidate/team.kubeconfig -o name > /home/candidate/context.txt
