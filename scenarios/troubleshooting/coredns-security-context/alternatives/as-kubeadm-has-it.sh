# score: 100; variants: admission
# kubeadm writes the add-on anew; the namespace may have what kube-system needs, and is still warned about.
set -euo pipefail
kubectl label namespace kube-system --overwrite pod-security.kubernetes.io/enforce=privileged pod-security.kubernetes.io/warn=restricted
ssh control-plane sudo kubeadm init phase addon coredns --config /kind/kubeadm.conf
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
