# score: 50; variants: address
# The wrong address is lent to the DNS servers. The node is still not like the others.
set -euo pipefail
kubectl apply -f - <<SERVICE
apiVersion: v1
kind: Service
metadata: { name: dns-for-one-node, namespace: kube-system }
spec:
  selector: { k8s-app: kube-dns }
  externalIPs: ["$RESOLVER"]
  ports:
    - { name: dns, port: 53, protocol: UDP }
    - { name: dns-tcp, port: 53, protocol: TCP }
SERVICE
kubectl -n "$NS" rollout status daemonset "$APP" --timeout=90s
