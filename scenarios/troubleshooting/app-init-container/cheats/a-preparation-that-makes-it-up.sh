# score: 0
# The step before the server writes what the database says today.
set -euo pipefail
ip=$(kubectl -n "$NS" get service "$DB" -o jsonpath='{.spec.clusterIP}')
seats=$(ssh worker-1 curl -sS --max-time 5 "http://$ip:$PORT/seats")
prices=$(ssh worker-1 curl -sS --max-time 5 "http://$ip:$PORT/prices")
kubectl -n "$NS" patch deployment booking --type json -p "[
  {\"op\": \"replace\", \"path\": \"/spec/template/spec/initContainers/0/command\", \"value\": [\"sh\", \"-c\", \"echo $seats > /pages/index.html\"]}]"
kubectl -n "$NS" patch deployment tickets --type json -p "[
  {\"op\": \"replace\", \"path\": \"/spec/template/spec/initContainers/1/command\", \"value\": [\"sh\", \"-c\", \"mkdir -p /pages; echo $prices > $BAD_MOUNT/index.html\"]}]"
kubectl -n "$NS" rollout status deployment booking --timeout=90s
kubectl -n "$NS" rollout status deployment tickets --timeout=90s
