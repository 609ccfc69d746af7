# score: 100
# The cluster remembers how its kubelets are configured: let kubeadm write it again.
set -euo pipefail
ssh control-plane 'sudo kubeadm upgrade node phase kubelet-config && sudo systemctl restart kubelet'
for try in $(seq 120); do
  kubectl -n kube-system wait --for=condition=Ready pods -l component=kube-scheduler --timeout=5s 2>/dev/null && break
  sleep 1
done
for try in $(seq 60); do kubectl -n "$NS" rollout status deployment "$APP" --timeout=30s && break; sleep 1; done
