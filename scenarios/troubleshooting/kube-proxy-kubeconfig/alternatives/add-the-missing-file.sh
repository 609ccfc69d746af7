# score: 100
# The other way round: give the configuration the file that it asks for, under that name.
set -euo pipefail
path=$(kubectl -n kube-system get configmap kube-proxy -o jsonpath='{.data.config\.conf}' | sed -nE 's#^ *kubeconfig: (\S+)$#\1#p')
content=$(kubectl -n kube-system get configmap kube-proxy -o jsonpath='{.data.kubeconfig\.conf}')
jq -n --arg name "$(basename "$path")" --arg content "$content" '{data: {($name): $content}}' > /tmp/patch.json
kubectl -n kube-system patch configmap kube-proxy --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=90s
