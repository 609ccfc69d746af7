# score: 100
# Leave the kubelet's configuration and make the other directory another name for the usual one.
set -euo pipefail
ssh control-plane "sudo mv $DIR /root/old-manifests
  sudo ln -s /etc/kubernetes/manifests $DIR
  sudo systemctl restart kubelet"
for try in $(seq 120); do
  kubectl -n kube-system wait --for=condition=Ready pods -l component=kube-scheduler --timeout=5s 2>/dev/null && break
  sleep 1
done
for try in $(seq 60); do kubectl -n "$NS" rollout status deployment "$APP" --timeout=30s && break; sleep 1; done
