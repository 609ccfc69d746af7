# score: 80; variants: no-cni
# The file that the add-on would write, written by hand.
set -euo pipefail
yq 'select(.kind == "ConfigMap") | .data["cni-conf.json"]' ~/kube-flannel.yml > /tmp/10-flannel.conflist
for node in control-plane worker-1 worker-2; do
  ssh $node 'sudo tee /etc/cni/net.d/10-flannel.conflist >/dev/null' < /tmp/10-flannel.conflist
done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
