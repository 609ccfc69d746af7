# score: 0
# No pod waits any more once nothing is to be started.
set -euo pipefail
kubectl -n "$NS" rollout pause deployment web
kubectl -n "$NS" delete replicasets -l app=feed
kubectl -n "$NS" scale deployment feed --replicas=0
