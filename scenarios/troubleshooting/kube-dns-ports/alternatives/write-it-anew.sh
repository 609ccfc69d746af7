# score: 100; variants: target-port
# The Service is written anew from the Deployment, under the address that all pods know.
set -euo pipefail
kubectl -n kube-system delete service kube-dns
kubectl apply -f - <<'M'
apiVersion: v1
kind: Service
metadata: { name: kube-dns, namespace: kube-system }
spec:
  clusterIP: 10.96.0.10
  selector: { k8s-app: kube-dns }
  ports:
    - { name: dns, port: 53, protocol: UDP }
    - { name: dns-tcp, port: 53, protocol: TCP }
M
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
