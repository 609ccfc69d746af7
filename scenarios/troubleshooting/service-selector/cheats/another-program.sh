# score: 0
# Another Deployment says the sentence; the Service leads to it.
set -euo pipefail
kubectl -n "$NS" create configmap fake --from-literal=default.conf="server { listen 8080; location / { return 200 \"$APP answered by $APP-1\\n\"; } }"
kubectl -n "$NS" apply -f - <<M
apiVersion: apps/v1
kind: Deployment
metadata: { name: fake }
spec:
  replicas: 1
  selector: { matchLabels: { x: fake } }
  template:
    metadata: { labels: { x: fake } }
    spec:
      containers:
        - { name: w, image: nginx, imagePullPolicy: IfNotPresent, ports: [{ name: http, containerPort: 8080 }], volumeMounts: [{ name: c, mountPath: /etc/nginx/conf.d }] }
      volumes: [{ name: c, configMap: { name: fake } }]
M
kubectl -n "$NS" rollout status deployment fake --timeout=90s
kubectl -n "$NS" patch service "$APP" --type json -p '[{"op":"replace","path":"/spec/selector","value":{"x":"fake"}}]'
