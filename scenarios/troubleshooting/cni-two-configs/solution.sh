# score: 100
set -euo pipefail
# What do the pods wait for?
kubectl -n "$NS" get events --field-selector reason=FailedCreatePodSandBox -o jsonpath='{.items[0].message}' || true
# It asks for a plugin that nobody here uses. Which configurations are there, here and where all is well?
for node in worker-1 worker-2; do
  ssh $node sudo ls /etc/cni/net.d
done
# The runtime takes the first one by name. What does not belong to the cluster's network is put aside, out of the directory.
for file in $(ssh worker-2 sudo ls /etc/cni/net.d | grep -v flannel); do
  ssh worker-2 sudo mv "/etc/cni/net.d/$file" "/root/$file"
done
# The runtime notices; pods that wait are tried again by themselves.
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
