# score: 100
set -euo pipefail
# The same question twice, as programs ask it and as port checks do.
ssh worker-1 'dig @10.96.0.10 kubernetes.default.svc.cluster.local +short +time=2 +tries=1; dig @10.96.0.10 kubernetes.default.svc.cluster.local +short +tcp +time=2 +tries=1' || true
# What does the Service say about its ports, and where do the servers listen?
kubectl -n kube-system describe service kube-dns
kubectl -n kube-system get deployment coredns -o json | jq -c '.spec.template.spec.containers[].ports[]'
# Both protocols, each to the port on which the servers listen.
kubectl -n kube-system patch service kube-dns --type merge -p '{"spec":{"ports":[
  {"name":"dns","port":53,"protocol":"UDP","targetPort":53},
  {"name":"dns-tcp","port":53,"protocol":"TCP","targetPort":53},
  {"name":"metrics","port":9153,"protocol":"TCP","targetPort":9153}]}}'
# Nothing has to start again: the shop comes back with its next probe.
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
