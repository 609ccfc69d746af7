# score: 0
# The Services of the front ends lead past them to another program; the front ends stay broken.
set -euo pipefail
kubectl -n "$NS" apply -f - <<M
apiVersion: apps/v1
kind: Deployment
metadata: { name: past }
spec:
  replicas: 1
  selector: { matchLabels: { x: past } }
  template:
    metadata: { labels: { x: past } }
    spec:
      containers:
        - { name: w, image: 'registry.k8s.io/e2e-test-images/agnhost:2.59', imagePullPolicy: IfNotPresent, args: [netexec, --http-port=8080] }
M
kubectl -n "$NS" rollout status deployment past --timeout=90s
for s in storefront kiosk; do kubectl -n "$NS" patch service $s --type merge -p '{"spec":{"selector":{"app":null,"x":"past"}}}'; done
