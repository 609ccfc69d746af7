# score: 100
# Ask the API server what each of them may do: only that role allows to change Deployments.
set -euo pipefail
for user in $(kubectl config view --kubeconfig=/home/candidate/team.kubeconfig -o jsonpath='{.users[*].name}'); do
  if kubectl auth can-i update deployments.apps -n "$NS" --as="$user" > /dev/null; then
    echo "$user" > /home/candidate/user.txt
    kubectl config get-contexts --kubeconfig=/home/candidate/team.kubeconfig --no-headers | awk -v user="$user" '$NF == user {print $(NF - 2)}' > /home/candidate/context.txt
  fi
done
