# score: 100
# A flag is stronger than the file.
set -euo pipefail
ssh control-plane 'sudo sed -i "s#^KUBELET_EXTRA_ARGS=#&--pod-manifest-path=/etc/kubernetes/manifests #" /etc/default/kubelet; sudo systemctl restart kubelet'
for try in $(seq 120); do
  kubectl -n kube-system wait --for=condition=Ready pods -l component=kube-scheduler --timeout=5s 2>/dev/null && break
  sleep 1
done
for try in $(seq 60); do kubectl -n "$NS" rollout status deployment "$APP" --timeout=30s && break; sleep 1; done
kubectl -n kube-system wait --for=condition=Ready pods -l app="$PAGE" --timeout=60s
