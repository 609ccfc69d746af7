# score: 0
# Each workload brings its own resolver, and the node may say what it likes.
set -euo pipefail
address=$(kubectl -n kube-system get service kube-dns -o jsonpath='{.spec.clusterIP}')
give() {
  kubectl -n "$1" patch daemonset "$2" --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"dnsPolicy\":\"None\",\"dnsConfig\":{\"nameservers\":[\"$address\"],\"searches\":[\"$1.svc.cluster.local\",\"svc.cluster.local\",\"cluster.local\"],\"options\":[{\"name\":\"ndots\",\"value\":\"5\"}]}}}}}"
  kubectl -n "$1" rollout status daemonset "$2" --timeout=120s
}
give "$NS" "$APP"
give "$OPS" "$AGENT"
