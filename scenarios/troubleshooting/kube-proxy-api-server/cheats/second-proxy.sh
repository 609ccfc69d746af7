# score: 0
# Leave the one that waits alone, and let a copy with its own configuration do the work.
set -euo pipefail
right=$(ssh worker-1 sudo cat /etc/kubernetes/kubelet.conf | sed -nE 's#^ *server: (\S+)$#\1#p')
kubectl -n kube-system get configmap kube-proxy -o json |
  jq --arg server "$right" '.metadata = {name: "kube-proxy-2", namespace: "kube-system"} | .data["kubeconfig.conf"] |= sub("server: \\S+"; "server: " + $server)' |
  kubectl apply -f -
kubectl -n kube-system get daemonset kube-proxy -o json |
  jq '.metadata = {name: "kube-proxy-2", namespace: "kube-system"} | del(.status)
      | .spec.selector.matchLabels = {app: "kube-proxy-2"} | .spec.template.metadata.labels = {app: "kube-proxy-2"}
      | (.spec.template.spec.volumes[] | select(.configMap.name == "kube-proxy") | .configMap.name) = "kube-proxy-2"' |
  kubectl apply -f -
kubectl -n kube-system rollout status daemonset kube-proxy-2 --timeout=120s
