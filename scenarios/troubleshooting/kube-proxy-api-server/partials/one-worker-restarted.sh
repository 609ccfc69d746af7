# score: 25
# The configuration is right again, but only one node was made to read it.
set -euo pipefail
right=$(ssh worker-1 sudo cat /etc/kubernetes/kubelet.conf | sed -nE 's#^ *server: (\S+)$#\1#p')
kubectl -n kube-system get configmap kube-proxy -o yaml |
  sed -E "s#^( *server: )https://\S+\$#\1$right#" |
  kubectl apply -f -
kubectl -n kube-system delete pods -l k8s-app=kube-proxy --field-selector "spec.nodeName=$NODE_WORKER_1"
for i in $(seq 60); do ssh worker-1 curl -fsS --max-time 2 http://localhost:10256/healthz && break; sleep 1; done
