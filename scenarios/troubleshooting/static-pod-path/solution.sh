# score: 100
set -euo pipefail
# Manifests and pods do not agree: whose work is it to make one from the other? The kubelet's of that node.
ssh control-plane sudo ls /etc/kubernetes/manifests
kubectl -n kube-system get pods -o wide | grep control-plane
# It has no complaint about those files. So where does it look?
ssh control-plane sudo grep staticPodPath /var/lib/kubelet/config.yaml
ssh control-plane 'sudo sed -i "s#^staticPodPath:.*#staticPodPath: /etc/kubernetes/manifests#" /var/lib/kubelet/config.yaml
  sudo systemctl restart kubelet'
# To the kubelet these are other pods: etcd and the API server are started anew, so there may be no answer for a while.
for try in $(seq 120); do
  kubectl -n kube-system wait --for=condition=Ready pods -l component=kube-scheduler --timeout=5s 2>/dev/null && break
  sleep 1
done
for try in $(seq 60); do kubectl -n "$NS" rollout status deployment "$APP" --timeout=30s && break; sleep 1; done
kubectl -n kube-system wait --for=condition=Ready pods -l app="$PAGE" --timeout=60s
