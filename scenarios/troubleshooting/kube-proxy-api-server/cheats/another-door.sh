# score: 0
# A door of one's own on every node, that leads to the API server; and a kubeconfig that knocks there.
set -euo pipefail
address=$(kubectl get nodes -l node-role.kubernetes.io/control-plane -o jsonpath='{.items[0].status.addresses[?(@.type=="InternalIP")].address}')
address=${address%% *}
for node in control-plane worker-1 worker-2; do
  ssh $node sudo iptables -t nat -I OUTPUT -p tcp -d "$address" --dport 7443 -j DNAT --to-destination "$address:6443"
done
kubectl -n kube-system get configmap kube-proxy -o yaml | sed -E "s#^( *server: )https://\S+\$#\1https://$address:7443#" | kubectl apply -f -
kubectl -n kube-system rollout restart daemonset kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
for node in control-plane worker-1 worker-2; do
  for i in $(seq 30); do ssh $node curl -fsS --max-time 2 http://localhost:10256/healthz && break; sleep 1; done
done
