# score: 100; variants: flag
# The other way round: the ConfigMap gets the configuration under the name that the command asks for.
set -euo pipefail
path=$(kubectl -n kube-system get daemonset kube-proxy -o json | jq -r '.spec.template.spec.containers[0].command[] | select(startswith("--config=")) | ltrimstr("--config=")')
kubectl -n kube-system get configmap kube-proxy -o json |
  jq --arg name "$(basename "$path")" '{data: {($name): .data["config.conf"]}}' > /tmp/patch.json
kubectl -n kube-system patch configmap kube-proxy --type merge --patch-file /tmp/patch.json
# New pods see it at once; those in their back-off would in a minute or two.
kubectl -n kube-system delete pods -l k8s-app=kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
