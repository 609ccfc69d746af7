# score: 100
set -euo pipefail
# First the state as it is: a repair wipes the traces. What has a node's table, and what does the API know?
rules=$(ssh worker-1 sudo iptables-save -t nat)
services=$(kubectl -n "$NS" get services -o jsonpath='{range .items[*]}{.metadata.name}{"\n"}{end}')
: > ~/works.txt; : > ~/stale.txt; : > ~/missing.txt; : > ~/ghost.txt
for service in $services; do
  ip=$(kubectl -n "$NS" get service "$service" -o jsonpath='{.spec.clusterIP}')
  if ! grep -q "\"$NS/$service cluster IP\"" <<<"$rules"; then
    echo "$service" >> ~/missing.txt
  elif ssh worker-1 curl -sS --max-time 5 "http://$ip/" | grep 'Welcome to nginx' >/dev/null; then
    echo "$service" >> ~/works.txt
  else
    echo "$service" >> ~/stale.txt
  fi
done
# Rules for a name that is no Service any more.
grep -oE "\"$NS/[a-z0-9-]+ cluster IP\"" <<<"$rules" | sed -E 's#^"[^/]+/([^ ]+) .*#\1#' | sort -u |
  while read -r name; do grep -qx "$name" <<<"$services" || echo "$name"; done > ~/ghost.txt
head ~/works.txt ~/stale.txt ~/missing.txt ~/ghost.txt
# Nobody keeps the tables: the DaemonSet is meant for no node at all.
kubectl -n kube-system get daemonset kube-proxy
kubectl -n kube-system get daemonset kube-proxy -o jsonpath='{.spec.template.spec.nodeSelector}{"\n"}'
kubectl -n kube-system patch daemonset kube-proxy --type json \
  -p '[{"op":"replace","path":"/spec/template/spec/nodeSelector","value":{"kubernetes.io/os":"linux"}}]'
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
