# score: 100
set -euo pipefail
# Running and not ready: what are the servers waiting for?
kubectl -n kube-system get pods -l k8s-app=kube-dns
kubectl -n kube-system logs -l k8s-app=kube-dns --tail=5
# They know the cluster from the API alone. May their account ask it?
coredns=system:serviceaccount:kube-system:coredns
for kind in services namespaces endpointslices.discovery.k8s.io; do
  for verb in list watch; do echo "$verb $kind: $(kubectl auth can-i "$verb" "$kind" -A --as="$coredns" || true)"; done
done
kubectl get clusterrole,clusterrolebinding system:coredns -o wide || true
# Both halves as they have to be: the role with its rules, and the account that has it. No more than that.
kubectl apply -f - <<'MANIFEST'
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: 'system:coredns' }
rules:
  - apiGroups: ['']
    resources: [endpoints, services, pods, namespaces]
    verbs: [list, watch]
  - apiGroups: [discovery.k8s.io]
    resources: [endpointslices]
    verbs: [list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: 'system:coredns' }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'system:coredns' }
subjects:
  - { kind: ServiceAccount, name: coredns, namespace: kube-system }
MANIFEST
# The servers ask again by themselves; the shop comes back with its next probe.
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
