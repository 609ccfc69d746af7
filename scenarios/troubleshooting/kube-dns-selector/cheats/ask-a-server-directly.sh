# score: 0
# The shop asks a pod of CoreDNS by its address, past the Service.
set -euo pipefail
pod=$(kubectl -n kube-system get pods -l k8s-app=kube-dns -o jsonpath='{.items[0].status.podIP}')
kubectl -n "$NS" patch deployment "$FRONT" --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"dnsPolicy\":\"None\",\"dnsConfig\":{\"nameservers\":[\"$pod\"],\"searches\":[\"$NS.svc.cluster.local\",\"svc.cluster.local\",\"cluster.local\"],\"options\":[{\"name\":\"ndots\",\"value\":\"5\"}]}}}}}"
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
