# score: 100
set -euo pipefail
# The same question from each node: it is the node that fails, not the workload.
url="http://$(kubectl -n "$NS" get service "$APP" -o jsonpath='{.spec.clusterIP}'):$PORT/"
for node in control-plane worker-1 worker-2; do
  echo "$node: $(ssh $node curl -sS --max-time 3 -o /dev/null -w '%{http_code}' "$url" 2>&1 || true)"
done
# What does every other node have that this one has not?
kubectl get daemonsets -A
kubectl -n kube-system get pods -l k8s-app=kube-proxy -o wide
kubectl -n kube-system get daemonset kube-proxy -o jsonpath='{.spec.template.spec.nodeSelector}{"\n"}{.spec.template.spec.tolerations}{"\n"}'
kubectl get nodes -L example.com/pool -o wide
# kube-proxy belongs on every Linux node, whatever it is set aside for: no pool, and a toleration for any taint.
kubectl -n kube-system patch daemonset kube-proxy --type merge \
  -p '{"spec":{"template":{"spec":{"nodeSelector":{"example.com/pool":null},"tolerations":[{"operator":"Exists"}]}}}}'
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
kubectl -n kube-system get pods -l k8s-app=kube-proxy -o wide
