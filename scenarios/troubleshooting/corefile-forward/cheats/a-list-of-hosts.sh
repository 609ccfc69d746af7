# score: 0
# Every name that anybody may look for, written down.
set -euo pipefail
kubectl get nodes -o json | jq -r '.items[] | "       \(.status.addresses[] | select(.type == "InternalIP").address) \(.metadata.name)"' > /tmp/hosts
kubectl -n kube-system get configmap coredns -o json |
  jq --rawfile hosts /tmp/hosts '.data.Corefile |= sub("    prometheus"; "    hosts {\n\($hosts)       fallthrough\n    }\n    prometheus") | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
