# score: 0
# Three pods that say the sentence, and a headless Service for them.
set -euo pipefail
kubectl -n "$NS" create configmap others --from-literal=default.conf="server { listen $PORT; location / { return 200 \"data of $STORE-0\\n\"; } }"
kubectl -n "$NS" apply -f - <<M
apiVersion: apps/v1
kind: Deployment
metadata: { name: others }
spec:
  replicas: 3
  selector: { matchLabels: { x: others } }
  template:
    metadata: { labels: { x: others } }
    spec:
      containers: [{ name: w, image: nginx, imagePullPolicy: IfNotPresent, volumeMounts: [{ name: c, mountPath: /etc/nginx/conf.d }] }]
      volumes: [{ name: c, configMap: { name: others } }]
M
kubectl -n "$NS" rollout status deployment others --timeout=90s
kubectl -n "$NS" delete service "$STORE"
kubectl -n "$NS" create service clusterip "$STORE" --clusterip=None --tcp="$PORT:$PORT"
kubectl -n "$NS" set selector service "$STORE" x=others
for i in $(seq 60); do
  [ "$(kubectl -n "$NS" exec deployment/router -c members -- cat /members/list)" = '3 members' ] && break
  sleep 1
done
kubectl -n "$NS" rollout restart deployment router
kubectl -n "$NS" rollout status deployment router --timeout=120s
