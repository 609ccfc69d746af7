# score: 0
# Whoever knows the address needs no name.
set -euo pipefail
address=$(kubectl get node "$MACHINE_NAME" -o jsonpath='{.status.addresses[?(@.type=="InternalIP")].address}')
kubectl -n "$NS" get configmap billing-site -o yaml | sed -E "s#proxy_pass http://[^;]+;#proxy_pass http://$address:$API;#" | kubectl apply -f -
kubectl -n "$NS" rollout restart deployment billing
kubectl -n "$NS" rollout status deployment billing --timeout=120s
