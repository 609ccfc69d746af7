# score: 0
# The Service looks for pods that nobody makes: so make one, that says what is wanted.
set -euo pipefail
kubectl -n "$NS" apply -f - <<M
apiVersion: v1
kind: Pod
metadata: { name: $APP-hotfix, labels: { app: $APP, component: $OTHER } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: web
      image: nginx
      imagePullPolicy: IfNotPresent
      command: [sh, -c, 'echo "server { listen 8080; location / { return 200 \"$APP answered by $APP-1\"; } }" > /etc/nginx/conf.d/default.conf; exec nginx -g "daemon off;"']
      ports: [{ name: http, containerPort: 8080 }]
M
kubectl -n "$NS" wait --for=condition=Ready pod "$APP-hotfix" --timeout=90s
