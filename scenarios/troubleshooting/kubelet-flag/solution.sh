# score: 100
set -euo pipefail
# The node says nothing. What does its agent say?
kubectl get nodes
ssh worker-1 'sudo journalctl -u kubelet --no-pager -n 200' | grep -m1 'command failed' || true
# Where do the arguments come from, and what else did the tool touch?
ssh worker-1 systemctl cat kubelet | grep EnvironmentFile
for node in worker-1 worker-2; do
  ssh $node sudo cat /var/lib/kubelet/kubeadm-flags.env
done
# The flag that this kubelet does not know goes, on both workers, and nothing else.
name=${FLAG%%=*}
for node in worker-1 worker-2; do
  ssh $node "sudo sed -i -E 's#$name=[^ \"]* ?##' /var/lib/kubelet/kubeadm-flags.env"
  # The other worker is restarted too: now, while somebody looks.
  ssh $node sudo systemctl restart kubelet
done
kubectl wait --for=condition=Ready nodes --all --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
