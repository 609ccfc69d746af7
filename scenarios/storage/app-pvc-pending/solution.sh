# score: 100
set -euo pipefail
# The pod waits for its claim. What does the claim wait for?
kubectl -n "$NS" get pods -l app="$APP"
kubectl -n "$NS" get events --field-selector involvedObject.kind=PersistentVolumeClaim -o custom-columns=REASON:.reason,MESSAGE:.message
# What is asked for, and what is there?
kubectl -n "$NS" get pvc "$CLAIM" -o custom-columns=CLASS:.spec.storageClassName,MODES:.spec.accessModes,SIZE:.spec.resources.requests.storage
kubectl get pv "$VOLUME" -o custom-columns=CLASS:.spec.storageClassName,MODES:.spec.accessModes,SIZE:.spec.capacity.storage,STATUS:.status.phase
# A claim cannot be changed in these. It was never bound, so nothing is lost with it: made anew, as the volume is.
kubectl -n "$NS" delete pvc "$CLAIM" --timeout=60s
kubectl apply -f - <<MANIFEST
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: $CLAIM, namespace: $NS, labels: { app: $APP } }
spec:
  storageClassName: $CLASS
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 1Gi } }
MANIFEST
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
kubectl -n "$NS" get pvc "$CLAIM"
