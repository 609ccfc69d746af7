# score: 0
# A pod that says what the system would say.
set -euo pipefail
kubectl -n "$NS" create configmap stand-in --from-literal=default.conf="server { listen $API; location / { return 200 \"$SVC at $MACHINE_NAME\"; } } server { listen $FEED; location / { return 200 \"feed of $SVC at $MACHINE_NAME\"; } }"
kubectl apply -f - <<POD
apiVersion: v1
kind: Pod
metadata: { name: stand-in, namespace: $NS, labels: { app: stand-in } }
spec:
  terminationGracePeriodSeconds: 1
  containers: [{ name: web, image: nginx, imagePullPolicy: IfNotPresent, volumeMounts: [{ name: site, mountPath: /etc/nginx/conf.d }] }]
  volumes: [{ name: site, configMap: { name: stand-in } }]
POD
kubectl -n "$NS" wait --for=condition=Ready pod/stand-in --timeout=90s
kubectl -n "$NS" delete endpointslice "$SVC-1"
kubectl -n "$NS" patch service "$SVC" --type merge -p '{"spec":{"selector":{"app":"stand-in"}}}'
