# score: 100; variants: data
# kubeadm wrote this manifest from a configuration that still lies on the node.
set -euo pipefail
ssh control-plane 'sudo kubeadm init phase etcd local --config /kind/kubeadm.conf'
for try in $(seq 360); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 </dev/null && break; sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
