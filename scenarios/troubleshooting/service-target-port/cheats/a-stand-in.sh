# score: 0
# The page is one line of text. Anything under the same label can say it, on whatever port it likes.
set -euo pipefail
kubectl -n "$NS" create configmap pages --from-literal=default.conf="server { listen 80; default_type text/plain; location / { return 200 \"$APP answered by $APP-1\\n\"; } location = /metrics { return 200 \"${APP}_up 1\\n\"; } }"
kubectl apply -f - <<POD
apiVersion: apps/v1
kind: Deployment
metadata: { name: pages, namespace: $NS }
spec:
  selector: { matchLabels: { tier: pages } }
  template:
    metadata: { labels: { app: $APP, tier: pages } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: web, image: nginx, imagePullPolicy: IfNotPresent, volumeMounts: [{ name: site, mountPath: /etc/nginx/conf.d }] }]
      volumes: [{ name: site, configMap: { name: pages } }]
POD
kubectl -n "$NS" rollout status deployment pages --timeout=90s
kubectl -n "$NS" patch service "$APP" -p '{"spec":{"selector":{"tier":"pages"},"ports":[{"port":80,"targetPort":80},{"port":9100,"targetPort":80}]}}'
