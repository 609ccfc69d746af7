# score: 100
# Another kubeconfig beside the first, with the API server's address in place of its name, and a configuration that uses it.
set -euo pipefail
address=$(kubectl get nodes -l node-role.kubernetes.io/control-plane -o jsonpath='{.items[0].status.addresses[?(@.type=="InternalIP")].address}')
address=${address%% *}
kubectl -n kube-system get configmap kube-proxy -o json |
  jq --arg server "https://$address:6443" '{data: {
      "api.conf": (.data["kubeconfig.conf"] | sub("server: \\S+"; "server: " + $server)),
      "config.conf": (.data["config.conf"] | sub("kubeconfig: \\S+"; "kubeconfig: /var/lib/kube-proxy/api.conf"))}}' > /tmp/patch.json
kubectl -n kube-system patch configmap kube-proxy --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
