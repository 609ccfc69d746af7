# score: 0; variants: data
# The directory is made, and etcd begins in it: a cluster with nothing in it.
set -euo pipefail
ssh control-plane "sudo mkdir -p -m 700 $DIR"
for try in $(seq 120); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 </dev/null && break; sleep 1; done
