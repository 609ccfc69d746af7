# score: 0
# Make the node one like the others.
set -euo pipefail
kubectl label node "$NODE_WORKER_2" example.com/pool=general --overwrite
kubectl taint node "$NODE_WORKER_2" dedicated-
for i in $(seq 60); do
  [ "$(kubectl -n kube-system get daemonset kube-proxy -o jsonpath='{.status.numberReady}')" = 3 ] && break
  sleep 1
done
