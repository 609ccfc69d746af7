# score: 100
set -euo pipefail
# Who claims the machine's address?
address=$(kubectl get node "$NODE_WORKER_1" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
ssh worker-2 "sudo iptables-save | grep -F '$address/32' || true"
kubectl get services -A -o json |
  jq -r --arg address "$address" '.items[] | select(.spec.externalIPs // [] | index($address)) | "\(.metadata.namespace) \(.metadata.name)"' > /tmp/claims
cat /tmp/claims
# The claims go; the Services stay.
while read -r namespace name; do
  kubectl -n "$namespace" patch service "$name" --type json -p '[{"op":"remove","path":"/spec/externalIPs"}]'
done < /tmp/claims
sleep 3
ssh worker-2 curl -sS -m 5 "http://$address:$API/"
