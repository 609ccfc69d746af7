# score: 80; variants: key-file
# A key is missing, so make one. The API server does not know it.
set -euo pipefail
ssh control-plane "sudo openssl genrsa -out /etc/kubernetes/pki/$KEY 2048"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=270s
for try in $(seq 60); do [ -n "$(kubectl -n "$NS" get secret "$ROBOT-branch" -o jsonpath='{.data.token}')" ] && break; sleep 1; done
