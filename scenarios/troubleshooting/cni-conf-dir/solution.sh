# score: 100
set -euo pipefail
# What is missing, in the words of the node and of the pods?
kubectl get node "$NODE_WORKER_1" -o jsonpath='{.status.conditions[?(@.type=="Ready")].message}'
kubectl -n "$NS" get events --field-selector reason=FailedCreatePodSandBox -o jsonpath='{.items[0].message}' || true
# It is all there, as on the other worker.
ssh worker-1 'sudo ls /etc/cni/net.d /opt/cni/bin'
# So it is looked for elsewhere. The runtime decides where.
ssh worker-2 sudo cat /etc/containerd/config.toml >/tmp/theirs
ssh worker-1 sudo cat /etc/containerd/config.toml | diff /tmp/theirs - || true
ssh worker-1 "sudo sed -i -E 's#^( *conf_dir *= *).*#\1\"/etc/cni/net.d\"#; s#^( *bin_dir *= *).*#\1\"/opt/cni/bin\"#' /etc/containerd/config.toml"
# It is read at the start; containers go on running meanwhile.
ssh worker-1 sudo systemctl restart containerd
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
