# score: 100
# Who does not choose gets the usual one.
set -euo pipefail
kubectl -n kube-system get configmap kube-proxy -o json |
  jq '.data["config.conf"] |= sub("(?<before>^|\n)mode: [a-z]+"; "\(.before)mode: \"\"") | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap kube-proxy --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
