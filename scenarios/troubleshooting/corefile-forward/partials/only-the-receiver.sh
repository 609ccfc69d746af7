# score: 60
# The one host that was missed gets a server block of its own. Every other name still goes nowhere.
set -euo pipefail
kubectl -n kube-system get configmap coredns -o json |
  jq --arg name "$NODE_WORKER_2" '.data.Corefile += "\n\($name):53 {\n    errors\n    forward . /etc/resolv.conf\n    cache 30\n}\n" | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
