# score: 100
set -euo pipefail
# Inside works, outside does not: whom do the servers ask, and whom does a node ask?
kubectl -n kube-system logs -l k8s-app=kube-dns --tail=3
kubectl -n kube-system get configmap coredns -o jsonpath='{.data.Corefile}' | grep -n forward
ssh worker-1 cat /etc/resolv.conf
# Hand on to the servers of the node again, which is what kubeadm writes: the pods of CoreDNS see their node's file.
kubectl -n kube-system get configmap coredns -o yaml | sed -E 's#forward \. 169\.254\.[0-9.]+#forward . /etc/resolv.conf#' | kubectl apply -f -
# The servers would find the change by themselves within two minutes; a restart makes it now.
kubectl -n kube-system rollout restart deployment coredns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
