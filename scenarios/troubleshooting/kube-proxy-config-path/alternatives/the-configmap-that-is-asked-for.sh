# score: 100; variants: volume
# The other way round: a ConfigMap with the name that the volume asks for.
set -euo pipefail
name=$(kubectl -n kube-system get daemonset kube-proxy -o json | jq -r '.spec.template.spec.volumes[] | select(.name == "kube-proxy") | .configMap.name')
kubectl -n kube-system get configmap kube-proxy -o json |
  jq --arg name "$name" '.metadata = {name: $name, namespace: "kube-system", labels: {app: "kube-proxy"}}' |
  kubectl apply -f -
# The kubelet tries a mount that failed again and again, in pauses of up to two minutes. New pods do not wait.
kubectl -n kube-system delete pods -l k8s-app=kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
