# score: 50; variants: domain
# The DNS servers answer for the wrong domain as well. The node is still not like the others.
set -euo pipefail
kubectl -n kube-system get configmap coredns -o json |
  jq --arg zone "$REALM" '.data.Corefile |= sub("kubernetes cluster.local"; "kubernetes cluster.local \($zone)") | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system rollout restart deployment coredns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status daemonset "$APP" --timeout=90s
