# score: 0; variants: brace
# A Corefile that starts and knows the new name. Whatever else was in it is gone.
set -euo pipefail
printf '.:53 {\n    health\n    ready\n    hosts {\n       %s %s\n    }\n}\n' "$IP" "$HOST.$ZONE" > /tmp/Corefile
jq -n --rawfile corefile /tmp/Corefile '{data: {Corefile: $corefile}}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
