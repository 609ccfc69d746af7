# score: 100
set -euo pipefail
# What does not run, and what does it say?
kubectl -n kube-system get pods -l k8s-app=kube-proxy -o wide
kubectl -n kube-system logs -l k8s-app=kube-proxy --tail=2 || true
kubectl -n kube-system get events --field-selector reason=FailedMount | tail -n 3
# The names that have to agree: the ConfigMap, its keys, and what the template makes of them.
kubectl -n kube-system get configmaps
kubectl -n kube-system get configmap kube-proxy -o json | jq '.data | keys'
kubectl -n kube-system get daemonset kube-proxy -o json | jq '.spec.template.spec | .volumes, .containers[0].volumeMounts, .containers[0].command'
# The ConfigMap kube-proxy is there, with the key config.conf: say so in the template.
kubectl -n kube-system get daemonset kube-proxy -o json |
  jq '.spec.template.spec |= (
      (.volumes[] | select(.name == "kube-proxy") | .configMap.name) = "kube-proxy"
      | .containers[0].command |= map(if startswith("--config=") then "--config=/var/lib/kube-proxy/config.conf" else . end))' |
  kubectl replace -f -
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
