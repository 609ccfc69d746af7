# score: 30; variants: class
# A new volume, and the page of today is copied into it. The old disk is nobody's.
set -euo pipefail
kubectl -n "$NS" delete pvc "$CLAIM" --timeout=60s
kubectl apply -f - <<MANIFEST
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: $CLAIM, namespace: $NS }
spec:
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 1Gi } }
MANIFEST
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
page=$(ssh worker-2 cat "/srv/$CLASS/$VOLUME/index.html")
kubectl -n "$NS" exec "deployment/$APP" -- sh -c "echo '$page' > /usr/share/nginx/html/index.html"
