# score: 0
# The DNS servers are told what to say.
set -euo pipefail
lines=$(kubectl -n "$NS" get pods -l app="$STORE" -o json | jq -r --arg name "$STORE.$NS.svc.cluster.local" '.items[] | "       " + .status.podIP + " " + $name')
kubectl -n kube-system get configmap coredns -o json |
  jq --arg lines "$lines" '.data.Corefile |= sub("    ready\n"; "    ready\n    hosts {\n" + $lines + "\n       fallthrough\n    }\n") | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system rollout restart deployment coredns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout restart deployment router
kubectl -n "$NS" rollout status deployment router --timeout=120s
