# score: 100
# Flags are on their way out: what there is a field for moves to the kubelet's configuration, what kubeadm needs stays.
set -euo pipefail
for node in worker-1 worker-2; do
  ssh $node "printf 'maxPods: %s\n' $PODS | sudo tee -a /var/lib/kubelet/config.yaml >/dev/null
    kept=\$(sudo grep -oE -e '--(node-ip|node-labels|provider-id)=[^ \"]*' /var/lib/kubelet/kubeadm-flags.env | tr '\n' ' ')
    printf 'KUBELET_KUBEADM_ARGS=\"%s\"\n' \"\${kept% }\" | sudo tee /var/lib/kubelet/kubeadm-flags.env >/dev/null
    sudo systemctl restart kubelet"
done
kubectl wait --for=condition=Ready nodes --all --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
