# score: 0; variants: short-name, ndots
# Whoever has the address needs no name.
set -euo pipefail
address=$(kubectl -n "$OTHER" get service "$BACK" -o jsonpath='{.spec.clusterIP}')
kubectl -n "$NS" get configmap "$FRONT-site" -o yaml | sed -E "s#proxy_pass http://[^;]+;#proxy_pass http://$address;#" | kubectl apply -f -
kubectl -n "$NS" rollout restart deployment "$FRONT"
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
printf '2\n1\n' > ~/questions.txt
