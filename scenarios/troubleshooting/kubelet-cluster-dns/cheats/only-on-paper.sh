# score: 0; variants: domain
# The file is right, and nobody has read it.
set -euo pipefail
ssh worker-2 "sudo sed -i 's/^clusterDomain: .*/clusterDomain: cluster.local/' /var/lib/kubelet/config.yaml"
kubectl -n "$NS" delete pods -l app="$APP" --field-selector "spec.nodeName=$NODE_WORKER_2"
kubectl -n "$OPS" delete pods -l app="$AGENT" --field-selector "spec.nodeName=$NODE_WORKER_2"
