# score: 60
# The context that happens to be current is another user's.
set -euo pipefail
kubectl -n "$NS" get rolebinding "on-call-$SUFFIX" -o jsonpath='{.subjects[?(@.kind=="User")].name}' > /home/candidate/user.txt
echo "rome-$SUFFIX" > /home/candidate/context.txt
