# score: 0
# A ConfigMap with the least that the program needs to start.
set -euo pipefail
kubectl -n kube-system get configmap kube-proxy -o json |
  jq '{apiVersion, kind, metadata: {name: "kube-proxy-small", namespace: "kube-system"}, data: {"kubeconfig.conf": .data["kubeconfig.conf"],
      "config.conf": "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nclientConnection: {kubeconfig: /var/lib/kube-proxy/kubeconfig.conf}\nconntrack: {maxPerCore: 0}\n"}}' |
  kubectl apply -f -
kubectl -n kube-system get daemonset kube-proxy -o json |
  jq '.spec.template.spec |= (.volumes |= map(if .name == "kube-proxy" then {name, configMap: {name: "kube-proxy-small"}} else . end)
      | .containers[0].command |= map(if startswith("--config=") then "--config=/var/lib/kube-proxy/config.conf" else . end))' |
  kubectl replace -f -
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
