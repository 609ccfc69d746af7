# score: 100
set -euo pipefail
# Which name was not found, and what does the pod's resolver make of names?
kubectl -n "$NS" logs -l app="$FRONT" --tail=2 || true
kubectl get services -A
kubectl -n "$NS" get deployment "$FRONT" -o jsonpath='{.spec.template.spec.dnsPolicy} {.spec.template.spec.dnsConfig}{"\n"}'
# The Service's full name, and the resolver that pods of a cluster have.
kubectl -n "$NS" get configmap "$FRONT-site" -o yaml |
  sed -E "s#proxy_pass http://[^;]+;#proxy_pass http://$BACK.$OTHER.svc.cluster.local.;#" |
  kubectl apply -f -
kubectl -n "$NS" patch deployment "$FRONT" --type merge -p '{"spec":{"template":{"spec":{"dnsPolicy":"ClusterFirst","dnsConfig":null}}}}'
kubectl -n "$NS" rollout restart deployment "$FRONT"
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
# ndots:5 and the list NAMESPACE.svc.cluster.local, svc.cluster.local, cluster.local: the n-th entry fits.
if [ -z "$TAIL" ]; then first=2; else first=3; fi
printf '%s\n' "$first" 1 > ~/questions.txt
