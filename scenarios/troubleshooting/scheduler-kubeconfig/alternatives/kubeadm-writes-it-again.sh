# score: 100
# kubeadm wrote this kubeconfig when the cluster was made; let it do so again. It leaves a file that is there alone, so that goes first.
set -euo pipefail
ssh control-plane 'sudo mv /etc/kubernetes/scheduler.conf /root/scheduler.conf.old
  sudo kubeadm init phase kubeconfig scheduler --kubernetes-version "$(kubeadm version -o short)"
  sudo grep server: /etc/kubernetes/scheduler.conf'
# Out of the directory and back again: the kubelet ends the pod and makes another.
ssh control-plane 'sudo mv /etc/kubernetes/manifests/kube-scheduler.yaml /root/
  for try in $(seq 60); do [ -z "$(sudo crictl ps -q --name "^kube-scheduler$")" ] && break; sleep 1; done
  sudo mv /root/kube-scheduler.yaml /etc/kubernetes/manifests/'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
