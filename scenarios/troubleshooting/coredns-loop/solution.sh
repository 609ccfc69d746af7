# score: 100
set -euo pipefail
# What do the servers say?
kubectl -n kube-system logs -l k8s-app=kube-dns --previous --tail=3 || true
kubectl -n kube-system get configmap coredns -o jsonpath='{.data.Corefile}'
# 1. The Corefile forwards to the resolver of the node again.
kubectl -n kube-system get configmap coredns -o yaml |
  sed -E 's#forward \. 127\.[0-9.]+#forward . /etc/resolv.conf#' |
  kubectl apply -f -
# 2. The kubelets hand out the node's own resolver file, the default, and not a stub that leads back into the pod.
for node in control-plane worker-1 worker-2; do
  if ssh $node sudo grep -q '^resolvConf:' /var/lib/kubelet/config.yaml; then
    ssh $node "sudo sed -i '/^resolvConf:/d' /var/lib/kubelet/config.yaml && sudo systemctl restart kubelet"
  fi
done
# 3. Pods keep the resolver that they were started with: start them again.
kubectl -n "$NS" rollout restart daemonset "$AGENT"
kubectl -n kube-system rollout restart deployment coredns
kubectl -n "$NS" rollout status daemonset "$AGENT" --timeout=90s
kubectl -n kube-system rollout status deployment coredns --timeout=120s
