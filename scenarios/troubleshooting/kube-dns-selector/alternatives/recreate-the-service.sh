# score: 100
# A new Service in place of the old one, under the address that all pods know.
set -euo pipefail
kubectl -n kube-system get service kube-dns -o json |
  jq 'del(.status, .metadata.uid, .metadata.resourceVersion, .metadata.creationTimestamp, .metadata.managedFields) | .spec.selector = {"k8s-app": "kube-dns"}' > /tmp/kube-dns.json
kubectl replace --force -f /tmp/kube-dns.json
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
