# score: 100; variants: brace
# The name gets a server block of its own, and the main block is what it was before.
set -euo pipefail
kubectl -n kube-system get configmap coredns -o json |
  jq --arg zone "$ZONE" --arg line "$IP $HOST.$ZONE" '
    .data.Corefile |= (split("\n") | (map(contains($line)) | index(true)) as $at | .[:$at - 1] + .[$at + 2:]
      | (map(test("^    prometheus")) | index(true)) as $p | (if .[$p - 1] == "    }" and .[$p - 2] == "    }" then .[:$p - 1] + .[$p:] else . end) | join("\n"))
    | .data.Corefile += "\n\($zone):53 {\n    errors\n    hosts {\n       \($line)\n    }\n    cache 30\n}\n"
    | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system get configmap coredns -o jsonpath='{.data.Corefile}'
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=150s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
