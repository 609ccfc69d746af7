# score: 100; variants: corefile
# Name the company's server in the Corefile, instead of the file that names it.
set -euo pipefail
upstream=$(ssh worker-1 cat /etc/resolv.conf | awk '$1 == "nameserver" {print $2; exit}')
kubectl -n kube-system get configmap coredns -o yaml |
  sed -E "s#forward \. 127\.[0-9.]+#forward . $upstream#" |
  kubectl apply -f -
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
