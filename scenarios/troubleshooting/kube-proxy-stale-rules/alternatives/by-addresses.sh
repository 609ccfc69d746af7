# score: 100
# Without asking any service: compare the pods' addresses in the rules with those that there are, then take the last change back.
set -euo pipefail
services=$(kubectl -n "$NS" get services -o jsonpath='{range .items[*]}{.metadata.name}{"\n"}{end}' | sort)
pods=$(kubectl -n "$NS" get pods -o jsonpath='{range .items[*]}{.status.podIP}{"\n"}{end}')
# name and address of each pod that the rules lead to
led=$(ssh worker-2 sudo iptables-save -t nat | grep -E "\"$NS/[a-z0-9-]+\" .*--to-destination" |
  sed -E "s#.*\"$NS/([a-z0-9-]+)\".*--to-destination ([0-9.]+):.*#\1 \2#" | sort -u)
comm -23 <(echo "$services") <(cut -d' ' -f1 <<<"$led" | sort -u) > ~/missing.txt
comm -13 <(echo "$services") <(cut -d' ' -f1 <<<"$led" | sort -u) > ~/ghost.txt
: > ~/works.txt; : > ~/stale.txt
while read -r name address; do
  grep -qx "$name" ~/ghost.txt && continue
  if grep -qxF "$address" <<<"$pods"; then echo "$name" >> ~/works.txt; else echo "$name" >> ~/stale.txt; fi
done <<<"$led"
kubectl -n kube-system rollout undo daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
