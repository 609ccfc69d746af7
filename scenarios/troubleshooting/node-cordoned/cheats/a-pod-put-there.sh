# score: 0
# A pod by that label, on that node, and nobody has asked the scheduler.
set -euo pipefail
kubectl -n "$NS" apply -f - <<M
apiVersion: v1
kind: Pod
metadata: { name: $APP-there, labels: { app: $APP } }
spec:
  nodeName: $NODE_WORKER_2
  tolerations: [{ operator: Exists }]
  terminationGracePeriodSeconds: 1
  containers: [{ name: web, image: nginx, imagePullPolicy: IfNotPresent }]
M
kubectl -n "$NS" wait --for=condition=Ready "pod/$APP-there" --timeout=60s
