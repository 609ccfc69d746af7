# score: 100
set -euo pipefail
# A node port that is silent on one node only: what does the Service promise, and where are its pods?
kubectl -n "$NS" get service "$APP" -o jsonpath='{.spec.externalTrafficPolicy}{"\n"}'
kubectl -n "$NS" get pods -o wide
# The policy is Local, so every node of the balancer needs a pod. The DaemonSet wants a label that the new node does not have.
kubectl -n "$NS" get daemonset "$APP" -o jsonpath='{.spec.template.spec.nodeSelector}{"\n"}'
kubectl get nodes -L "$LABEL"
kubectl label node "$NODE_WORKER_2" "$LABEL=true"
# A pod comes up there; the policy stays, and with it the callers' addresses.
for i in $(seq 30); do
  [ "$(kubectl -n "$NS" get daemonset "$APP" -o jsonpath='{.status.desiredNumberScheduled}')" = 2 ] && break
  sleep 1
done
kubectl -n "$NS" rollout status daemonset "$APP" --timeout=120s
