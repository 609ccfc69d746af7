# score: 100
set -euo pipefail
# What do pods get on this node, and what on another?
kubectl -n "$NS" get pods -l app="$APP" -o wide
for node in "$NODE_WORKER_1" "$NODE_WORKER_2"; do
  kubectl get --raw "/api/v1/nodes/$node/proxy/configz" | jq -c '.kubeletconfig | {clusterDNS, clusterDomain}'
done
# The node's agent is told what the others were told.
address=$(kubectl -n kube-system get service kube-dns -o jsonpath='{.spec.clusterIP}')
ssh worker-2 "sudo sed -i -e '/^clusterDNS:/{n;s/- .*/- $address/}' -e 's/^clusterDomain: .*/clusterDomain: cluster.local/' /var/lib/kubelet/config.yaml"
ssh worker-2 sudo systemctl restart kubelet
# Running pods keep what they were given: those of the node are replaced.
kubectl -n "$NS" delete pods -l app="$APP" --field-selector "spec.nodeName=$NODE_WORKER_2"
kubectl -n "$OPS" delete pods -l app="$AGENT" --field-selector "spec.nodeName=$NODE_WORKER_2"
kubectl -n "$NS" rollout status daemonset "$APP" --timeout=90s
kubectl -n "$OPS" rollout status daemonset "$AGENT" --timeout=90s
