# score: 0
# Who needs no configuration misses none: an empty directory, no --config, and the defaults of the program.
set -euo pipefail
kubectl -n kube-system get daemonset kube-proxy -o json |
  jq '.spec.template.spec |= (
      .volumes |= map(if .name == "kube-proxy" then {name, emptyDir: {}} else . end)
      | .containers[0].command |= map(select(startswith("--config=") | not)))' |
  kubectl replace -f -
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=60s
