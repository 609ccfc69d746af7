# score: 0
# A DaemonSet is rolled out when its containers run on every node. What they run is nobody's business.
set -euo pipefail
kubectl -n kube-system patch daemonset kube-proxy --type merge \
  -p '{"spec":{"template":{"spec":{"nodeSelector":{"example.com/pool":null},"tolerations":[{"operator":"Exists"}]}}}}'
kubectl -n kube-system patch daemonset kube-proxy --type json \
  -p '[{"op":"replace","path":"/spec/template/spec/containers/0/command","value":["sh","-c","sleep 86400"]}]'
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
