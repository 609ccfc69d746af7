# score: 0
# A pod that names its node needs no scheduler; the Service leads to it alone.
set -euo pipefail
kubectl -n "$NS" apply -f - <<M
apiVersion: v1
kind: Pod
metadata: { name: $APP-now, labels: { now: $APP } }
spec:
  nodeName: $NODE_WORKER_1
  terminationGracePeriodSeconds: 1
  containers: [{ name: web, image: nginx, imagePullPolicy: IfNotPresent, volumeMounts: [{ name: page, mountPath: /usr/share/nginx/html }] }]
  volumes: [{ name: page, configMap: { name: $APP-$RELEASE } }]
M
kubectl -n "$NS" wait --for=condition=Ready "pod/$APP-now" --timeout=60s
kubectl -n "$NS" patch service "$APP" --type json -p "[{\"op\":\"replace\",\"path\":\"/spec/selector\",\"value\":{\"now\":\"$APP\"}}]"
