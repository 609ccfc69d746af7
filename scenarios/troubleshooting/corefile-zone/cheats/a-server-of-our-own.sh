# score: 0; variants: other-zone
# Every service that there is at this moment, written down in a server of its own to which the Corefile hands on.
set -euo pipefail
kubectl get services -A -o json | jq -r '.items[] | select(.spec.clusterIP != "None") | "       \(.spec.clusterIP) \(.metadata.name).\(.metadata.namespace).svc.cluster.local"' > /tmp/hosts
printf '.:53 {\n hosts {\n%s\n }\n}\n' "$(cat /tmp/hosts)" > /tmp/Corefile
kubectl -n "$NS" create configmap names --from-file=Corefile=/tmp/Corefile
image=$(kubectl -n kube-system get deployment coredns -o jsonpath='{.spec.template.spec.containers[0].image}')
kubectl -n "$NS" apply -f - <<M
apiVersion: apps/v1
kind: Deployment
metadata: { name: names }
spec:
  replicas: 1
  selector: { matchLabels: { x: names } }
  template:
    metadata: { labels: { x: names } }
    spec:
      containers: [{ name: dns, image: $image, imagePullPolicy: IfNotPresent, args: [-conf, /etc/coredns/Corefile], volumeMounts: [{ name: c, mountPath: /etc/coredns }] }]
      volumes: [{ name: c, configMap: { name: names } }]
---
apiVersion: v1
kind: Service
metadata: { name: names }
spec: { selector: { x: names }, ports: [{ name: u, port: 53, protocol: UDP }, { name: t, port: 53, protocol: TCP }] }
M
kubectl -n "$NS" rollout status deployment names --timeout=90s
ip=$(kubectl -n "$NS" get service names -o jsonpath='{.spec.clusterIP}')
kubectl -n kube-system get configmap coredns -o json |
  jq --arg to "$ip" '.data.Corefile += "\ncluster.local:53 {\n    errors\n    forward . \($to)\n}\n" | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=90s
