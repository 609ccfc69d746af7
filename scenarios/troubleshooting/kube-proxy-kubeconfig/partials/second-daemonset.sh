# score: 50
# The impact is gone, the cause is not: a copy with its own configuration runs beside the one that crashes.
set -euo pipefail
kubectl -n kube-system get configmap kube-proxy -o json |
  jq '.metadata = {name: "kube-proxy-hotfix", namespace: "kube-system"} | .data["config.conf"] |= sub("kubeconfig: /var/lib/kube-proxy/[^\n]+"; "kubeconfig: /var/lib/kube-proxy/kubeconfig.conf")' |
  kubectl apply -f -
kubectl -n kube-system get daemonset kube-proxy -o json |
  jq '.metadata = {name: "kube-proxy-hotfix", namespace: "kube-system"} | del(.status)
      | .spec.selector.matchLabels = {app: "kube-proxy-hotfix"} | .spec.template.metadata.labels = {app: "kube-proxy-hotfix"}
      | .spec.template.spec.affinity = {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: "node-role.kubernetes.io/control-plane", operator: "DoesNotExist"}]}]}}}
      | (.spec.template.spec.volumes[] | select(.configMap.name == "kube-proxy") | .configMap.name) = "kube-proxy-hotfix"' |
  kubectl apply -f -
kubectl -n kube-system rollout status daemonset kube-proxy-hotfix --timeout=90s
