# score: 100
# The line goes, and the same is said on the command line.
set -euo pipefail
ssh worker-2 "sudo sed -i '/clientCAFile:/d; s/^  x509:.*/  x509: {}/' /var/lib/kubelet/config.yaml
  sudo sed -i 's#^KUBELET_KUBEADM_ARGS=\"#&--anonymous-auth=false --client-ca-file=/etc/kubernetes/pki/ca.crt #' /var/lib/kubelet/kubeadm-flags.env
  sudo systemctl restart kubelet"
kubectl wait --for=condition=Ready "node/$NODE_WORKER_2" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
