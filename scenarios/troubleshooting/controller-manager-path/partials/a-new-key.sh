# score: 80; variants: key-file
# A key is missing, so make one. The API server does not know it.
set -euo pipefail
# Put there whole: whoever starts meanwhile does not find half of it.
ssh control-plane "sudo openssl genrsa -out /etc/kubernetes/new.key 2048 && sudo mv /etc/kubernetes/new.key /etc/kubernetes/pki/$KEY"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=270s
for try in $(seq 60); do [ -n "$(kubectl -n "$NS" get secret "$ROBOT-branch" -o jsonpath='{.data.token}')" ] && break; sleep 1; done
