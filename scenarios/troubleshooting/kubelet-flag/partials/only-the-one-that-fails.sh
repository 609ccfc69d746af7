# score: 70
# The worker that is down comes back. The other one goes down with its next start.
set -euo pipefail
name=${FLAG%%=*}
ssh worker-1 "sudo sed -i -E 's#$name=[^ \"]* ?##' /var/lib/kubelet/kubeadm-flags.env; sudo systemctl restart kubelet"
kubectl wait --for=condition=Ready nodes --all --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
