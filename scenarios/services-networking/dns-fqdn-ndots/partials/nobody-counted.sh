# score: 75
# The application is back. The argument goes on.
set -euo pipefail
kubectl -n "$NS" get configmap "$FRONT-site" -o yaml |
  sed -E "s#proxy_pass http://[^;]+;#proxy_pass http://$BACK.$OTHER.svc;#" |
  kubectl apply -f -
kubectl -n "$NS" patch deployment "$FRONT" --type json -p '[{"op":"replace","path":"/spec/template/spec/dnsPolicy","value":"ClusterFirst"}]'
kubectl -n "$NS" rollout restart deployment "$FRONT"
kubectl -n "$NS" patch deployment "$FRONT" --type merge -p '{"spec":{"template":{"spec":{"dnsConfig":null}}}}'
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
printf '4\n4\n' > ~/questions.txt
