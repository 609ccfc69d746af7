# score: 0; variants: userspace
# Flags in place of the file: the mode is right, and nothing else is.
set -euo pipefail
kubectl -n kube-system get daemonset kube-proxy -o json |
  jq '.spec.template.spec.containers[0].command |= (map(select(startswith("--config=") | not)) + ["--proxy-mode=iptables", "--metrics-bind-address=0.0.0.0:10249", "--kubeconfig=/var/lib/kube-proxy/kubeconfig.conf"])' |
  kubectl replace -f -
kubectl -n kube-system delete pods -l k8s-app=kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=60s || true
