# score: 100; variants: kubelet
# Leave the kubelets' configuration, and mend the file that it names on every node.
set -euo pipefail
for node in control-plane worker-1 worker-2; do
  ssh $node 'sudo cp /etc/resolv.conf "$(sudo sed -n "s/^resolvConf: //p" /var/lib/kubelet/config.yaml)"'
done
kubectl -n "$NS" delete pods -l app="$AGENT"
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n "$NS" rollout status daemonset "$AGENT" --timeout=90s
kubectl -n kube-system rollout status deployment coredns --timeout=120s
