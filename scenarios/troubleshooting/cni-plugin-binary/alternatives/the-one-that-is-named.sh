# score: 100; variants: missing
# Only the program that the message names, put there whole, and a new pod that need not wait.
set -euo pipefail
ssh worker-2 cat "/opt/cni/bin/$PLUGIN" > /tmp/plugin
ssh worker-1 "cat > /tmp/plugin && sudo rm -f /opt/cni/bin/$PLUGIN && sudo install -m 755 -o root -g root /tmp/plugin /opt/cni/bin/$PLUGIN" < /tmp/plugin
kubectl -n "$NS" delete pods -l app="$APP" --wait=false
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
