# score: 0; variants: port
# If it knocks at the wrong door, turn the door.
set -euo pipefail
wrong=$(kubectl -n kube-system get configmap kube-proxy -o jsonpath='{.data.kubeconfig\.conf}' | sed -nE 's#^ *server: .*:([0-9]+)$#\1#p')
address=$(kubectl get nodes -l node-role.kubernetes.io/control-plane -o jsonpath='{.items[0].status.addresses[?(@.type=="InternalIP")].address}')
address=${address%% *}
for node in control-plane worker-1 worker-2; do
  ssh $node sudo iptables -t nat -I OUTPUT -p tcp -d "$address" --dport "$wrong" -j DNAT --to-destination "$address:6443"
done
kubectl -n kube-system delete pods -l k8s-app=kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=120s
