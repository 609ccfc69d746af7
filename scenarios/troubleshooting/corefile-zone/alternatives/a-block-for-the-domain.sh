# score: 100; variants: other-zone
# The domain gets a server block of its own, and whatever the main block is good for stays as it is.
set -euo pipefail
kubectl -n kube-system get configmap coredns -o json |
  jq '.data.Corefile += "\ncluster.local:53 in-addr.arpa:53 ip6.arpa:53 {\n    errors\n    kubernetes cluster.local in-addr.arpa ip6.arpa {\n       pods insecure\n       fallthrough in-addr.arpa ip6.arpa\n       ttl 30\n    }\n    forward . /etc/resolv.conf\n    loadbalance\n}\n" | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
