# score: 60
# What is looked for is copied to where it is looked for. It stays what it is today.
set -euo pipefail
ssh worker-1 "sudo mkdir -p $CONF_DIR $BIN_DIR; sudo cp /etc/cni/net.d/10-flannel.conflist $CONF_DIR/; sudo sh -c 'cp -a /opt/cni/bin/* $BIN_DIR/'"
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
