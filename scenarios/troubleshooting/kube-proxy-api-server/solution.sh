# score: 100
set -euo pipefail
# Who should answer the health check on 10256, and does anybody?
ssh worker-1 "sudo ss -ltnp | grep -w 10256 || echo 'nobody listens on 10256'"
kubectl -n kube-system get pods -l k8s-app=kube-proxy -o wide
kubectl -n kube-system logs -l k8s-app=kube-proxy --tail=2
# It still waits for the API server. Where does it look for it, and where does the kubelet of the same node find it?
kubectl -n kube-system get configmap kube-proxy -o jsonpath='{.data.kubeconfig\.conf}' | grep server
right=$(ssh worker-1 sudo cat /etc/kubernetes/kubelet.conf | sed -nE 's#^ *server: (\S+)$#\1#p')
kubectl -n kube-system get configmap kube-proxy -o yaml |
  sed -E "s#^( *server: )https://\S+\$#\1$right#" |
  kubectl apply -f -
# A kubeconfig is read once, at the start: every pod has to start again, also those that still seem well.
kubectl -n kube-system rollout restart daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
# Running was true before, too. What counts is the health check.
for node in control-plane worker-1 worker-2; do
  for i in $(seq 30); do ssh $node curl -fsS --max-time 2 http://localhost:10256/healthz && break; sleep 1; done
done
