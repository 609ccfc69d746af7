# score: 60; variants: data
# The data go where they are looked for. The backup does not.
set -euo pipefail
ssh control-plane "sudo mkdir -p $(dirname "$DIR"); sudo mv /var/lib/etcd $DIR"
for try in $(seq 360); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 </dev/null && break; sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
