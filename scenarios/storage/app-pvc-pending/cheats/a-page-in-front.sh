# score: 0; variants: class
# A pod with the label of the archive, and with one page.
set -euo pipefail
page=$(ssh worker-2 cat "/srv/$CLASS/$VOLUME/index.html")
kubectl -n "$NS" apply -f - <<M
apiVersion: v1
kind: Pod
metadata: { name: front, labels: { app: $APP } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - { name: web, image: nginx, imagePullPolicy: IfNotPresent, command: [sh, -c, 'echo "$page" > /usr/share/nginx/html/index.html; exec nginx -g "daemon off;"'] }
M
kubectl -n "$NS" wait --for=condition=Ready pod/front --timeout=60s
