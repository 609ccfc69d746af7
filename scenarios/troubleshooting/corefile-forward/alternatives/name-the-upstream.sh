# score: 100
# The company's server by its address, instead of the file that names it.
set -euo pipefail
upstream=$(ssh worker-1 cat /etc/resolv.conf | awk '$1 == "nameserver" {print $2; exit}')
kubectl -n kube-system get configmap coredns -o json |
  jq --arg to "$upstream" '.data.Corefile |= sub("forward [.] 169[0-9.]+"; "forward . \($to)") | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
