# score: 100; variants: corefile
# Mend the Corefile, then let the Deployment begin anew.
set -euo pipefail
kubectl -n kube-system get configmap coredns -o json |
  jq '.data.Corefile |= sub("forward [.] 127[0-9.]+"; "forward . /etc/resolv.conf") | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system scale deployment coredns --replicas=0
kubectl -n kube-system wait --for=delete pods -l k8s-app=kube-dns --timeout=60s
kubectl -n kube-system scale deployment coredns --replicas=2
kubectl -n kube-system rollout status deployment coredns --timeout=120s
