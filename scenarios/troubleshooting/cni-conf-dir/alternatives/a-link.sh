# score: 100
# A link where the runtime looks leads to where the network puts its things, today's and tomorrow's.
set -euo pipefail
ssh worker-1 "if [ $VARIANT = configurations ]; then sudo rm -rf $CONF_DIR; sudo mkdir -p $(dirname "$CONF_DIR"); sudo ln -s /etc/cni/net.d $CONF_DIR
  else sudo mkdir -p $(dirname "$BIN_DIR"); sudo ln -s /opt/cni/bin $BIN_DIR; fi
  sudo systemctl restart containerd"
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
