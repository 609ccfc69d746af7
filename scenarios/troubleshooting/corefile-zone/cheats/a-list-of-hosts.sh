# score: 0; variants: no-block
# Every service that there is at this moment, written down.
set -euo pipefail
kubectl get services -A -o json | jq -r '.items[] | select(.spec.clusterIP != "None") | "       \(.spec.clusterIP) \(.metadata.name).\(.metadata.namespace).svc.cluster.local"' > /tmp/hosts
kubectl -n kube-system get configmap coredns -o json |
  jq --rawfile hosts /tmp/hosts '.data.Corefile |= sub("    prometheus"; "    hosts {\n\($hosts)       fallthrough\n    }\n    prometheus") | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=60s || true
