# score: 0; variants: binding
# A role that is there already covers it, and everybody's configuration as well.
set -euo pipefail
kubectl create clusterrolebinding coredns-view --clusterrole=view --serviceaccount=kube-system:coredns
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
