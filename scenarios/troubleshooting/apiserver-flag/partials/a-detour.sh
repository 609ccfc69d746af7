# score: 60; variants: etcd-port
# The packet filter sends the wrong port to the right one. It works until somebody boots the machine.
set -euo pipefail
ssh control-plane "sudo iptables -t nat -I OUTPUT -p tcp -d 127.0.0.1 --dport $ETCD -j DNAT --to-destination 127.0.0.1:2379"
for try in $(seq 360); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 && break; sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
