# score: 100
set -euo pipefail
# What does the name give, and what should it give?
kubectl -n "$NS" exec deployment/router -c members -- nslookup "$STORE.$NS.svc.cluster.local." || true
kubectl -n "$NS" get pods -l app="$STORE" -o wide
# One address in place of three: the Service that the StatefulSet names has a cluster IP.
kubectl -n "$NS" get statefulset "$STORE" -o jsonpath='{.spec.serviceName}{"\n"}'
kubectl -n "$NS" get service "$STORE"
# The field cannot be changed: create the Service again, headless, with the port on which the pods listen.
kubectl -n "$NS" delete service "$STORE"
kubectl apply -f - <<SERVICE
apiVersion: v1
kind: Service
metadata:
  name: $STORE
  namespace: $NS
  labels: { app: $STORE }
spec:
  clusterIP: None
  selector: { app: $STORE }
  ports: [{ name: data, port: $PORT }]
SERVICE
# Wait until the name gives all three; a cache on the way may still have the old answer.
for i in $(seq 60); do
  [ "$(kubectl -n "$NS" exec deployment/router -c members -- cat /members/list)" = '3 members' ] && break
  sleep 1
done
# The router looks the name up when it starts.
kubectl -n "$NS" rollout restart deployment router
kubectl -n "$NS" rollout status deployment router --timeout=120s
