# score: 100; variants: peers
# The authority under the name that the manifest asks for.
set -euo pipefail
ssh control-plane "sudo cp /etc/kubernetes/pki/etcd/ca.crt /etc/kubernetes/pki/etcd/$AUTHORITY"
for try in $(seq 360); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 </dev/null && break; sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
