# score: 0
# The same in other words: a role that may read whatever there is, Secrets included.
set -euo pipefail
kubectl apply -f - <<'MANIFEST'
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: kube-proxy-reader }
rules: [{ apiGroups: ['*'], resources: ['*'], verbs: [get, list, watch] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: kube-proxy-reader }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kube-proxy-reader }
subjects: [{ kind: Group, apiGroup: rbac.authorization.k8s.io, name: 'system:serviceaccounts:kube-system' }]
MANIFEST
kubectl -n kube-system rollout restart daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
