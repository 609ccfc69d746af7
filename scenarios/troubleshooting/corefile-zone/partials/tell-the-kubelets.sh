# score: 30; variants: other-zone
# The other way round: new pods look under the new domain. Short names work there, and every full name that anybody wrote down does not.
set -euo pipefail
for node in control-plane worker-1 worker-2; do
  ssh $node "sudo sed -i 's/^clusterDomain: .*/clusterDomain: $ZONE/' /var/lib/kubelet/config.yaml && sudo systemctl restart kubelet"
done
kubectl -n "$NS" rollout restart deployment "$FRONT"
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=150s
