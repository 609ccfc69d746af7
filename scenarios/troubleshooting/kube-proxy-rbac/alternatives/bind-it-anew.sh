# score: 100
# Leave what others changed as it is, and give the account what it needs by a role and a binding of one's own.
# No restart: kube-proxy asks again by itself, in growing pauses of up to a minute.
set -euo pipefail
kubectl apply -f - <<'MANIFEST'
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: service-proxy }
rules:
  - { apiGroups: [''], resources: [services, endpoints], verbs: [list, watch] }
  - { apiGroups: [''], resources: [nodes], verbs: [get, list, watch] }
  - { apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch] }
  - { apiGroups: [networking.k8s.io], resources: [servicecidrs], verbs: [list, watch] }
  - { apiGroups: ['', events.k8s.io], resources: [events], verbs: [create, patch, update] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: service-proxy }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: service-proxy }
subjects: [{ kind: ServiceAccount, name: kube-proxy, namespace: kube-system }]
MANIFEST
for node in control-plane worker-1 worker-2; do
  for i in $(seq 100); do
    ssh "$node" curl -sS -o /dev/null --max-time 1 "http://$(kubectl -n "$NS" get service "$APP" -o jsonpath='{.spec.clusterIP}'):$PORT/" && break
    sleep 1
  done
done
