# score: 50
# The servers run as they did before the change. What it was made for is still missing.
set -euo pipefail
kubectl -n kube-system get configmap coredns -o json |
  jq --arg line "$IP $HOST.$ZONE" '
    .data.Corefile |= (split("\n") | (map(contains($line)) | index(true)) as $at | .[:$at - 1] + .[$at + 2:]
      | (map(test("^    prometheus")) | index(true)) as $p | (if .[$p - 1] == "    }" and .[$p - 2] == "    }" then .[:$p - 1] + .[$p:] else . end) | join("\n"))
    | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=150s
