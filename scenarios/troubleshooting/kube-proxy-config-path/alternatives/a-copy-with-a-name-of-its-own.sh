# score: 100
# Configuration under a new name, as people do who version it; the DaemonSet uses that.
set -euo pipefail
kubectl -n kube-system get configmap kube-proxy -o json |
  jq '{apiVersion, kind, metadata: {name: "kube-proxy-v2", namespace: "kube-system", labels: .metadata.labels}, data: {"proxy.yaml": .data["config.conf"], "kubeconfig.conf": .data["kubeconfig.conf"]}}' |
  kubectl create -f -
kubectl -n kube-system get daemonset kube-proxy -o json |
  jq '.spec.template.spec |= (.volumes |= map(if .name == "kube-proxy" then {name, configMap: {name: "kube-proxy-v2"}} else . end)
      | .containers[0].command |= map(if startswith("--config=") then "--config=/var/lib/kube-proxy/proxy.yaml" else . end))' |
  kubectl replace -f -
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
