# score: 0; variants: userspace
# A flag beside the file: the file wins, and nothing starts.
set -euo pipefail
kubectl -n kube-system patch daemonset kube-proxy --type json -p '[{"op":"add","path":"/spec/template/spec/containers/0/command/-","value":"--proxy-mode=iptables"}]'
kubectl -n kube-system delete pods -l k8s-app=kube-proxy
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=40s || true
