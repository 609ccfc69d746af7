# score: 50
# DNS is UDP, says everybody. So it is now, and nothing else.
set -euo pipefail
kubectl -n kube-system patch service kube-dns --type merge -p '{"spec":{"ports":[
  {"name":"dns","port":53,"protocol":"UDP","targetPort":53},
  {"name":"metrics","port":9153,"protocol":"TCP","targetPort":9153}]}}'
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
