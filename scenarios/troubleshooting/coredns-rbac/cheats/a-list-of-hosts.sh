# score: 0; variants: role
# Servers that need no permission: every name of today in a list.
set -euo pipefail
{ kubectl get services -A -o json | jq -r '.items[] | select(.spec.clusterIP != "None") | "       \(.spec.clusterIP) \(.metadata.name).\(.metadata.namespace).svc.cluster.local"'
  kubectl -n "$NS" get pods -l "app=$BACK" -o json | jq -r --arg back "$BACK.$NS.svc.cluster.local" '.items[] | "       \(.status.podIP) \(.metadata.name).\($back)"'; } > /tmp/hosts
{ printf '.:53 {\n    errors\n    health\n    ready\n    prometheus :9153\n    hosts {\n'; cat /tmp/hosts; printf '    }\n    loop\n    reload\n}\n'; } > /tmp/Corefile
jq -n --rawfile corefile /tmp/Corefile '{data: {Corefile: $corefile}}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
