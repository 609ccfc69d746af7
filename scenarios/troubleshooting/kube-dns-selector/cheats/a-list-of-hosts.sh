# score: 0
# Servers with the label that the Service wants, and with a list of all names that there are today.
set -euo pipefail
kubectl get services -A -o json | jq -r '.items[] | select(.spec.clusterIP != "None") | "       \(.spec.clusterIP) \(.metadata.name).\(.metadata.namespace).svc.cluster.local"' > /tmp/hosts
printf '.:53 {\n ready\n prometheus :9153\n hosts {\n%s\n }\n}\n' "$(cat /tmp/hosts)" > /tmp/Corefile
kubectl -n kube-system create configmap names --from-file=Corefile=/tmp/Corefile
kubectl -n kube-system get deployment coredns -o json |
  jq --arg wanted "$LABEL" '.metadata = {name: "coredns-a", namespace: "kube-system"} | del(.status) | .spec.template.spec.volumes[0].configMap.name="names" | del(.spec.template.spec.containers[0].livenessProbe)
      | .spec.selector.matchLabels = {"k8s-app": $wanted} | .spec.template.metadata.labels = {"k8s-app": $wanted}' |
  kubectl apply -f -
kubectl -n kube-system rollout status deployment coredns-a --timeout=60s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
