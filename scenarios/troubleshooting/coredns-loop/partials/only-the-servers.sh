# score: 75; variants: kubelet
# The servers ask the upstream by its address and run again. Pods with their node's resolver are still lost.
set -euo pipefail
upstream=$(ssh worker-1 cat /etc/resolv.conf | awk '$1 == "nameserver" {print $2; exit}')
kubectl -n kube-system get configmap coredns -o yaml | sed -E "s#forward \. /etc/resolv.conf#forward . $upstream#" | kubectl apply -f -
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
