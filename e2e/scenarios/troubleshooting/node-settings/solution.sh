# score: 100
set -euo pipefail
for node in worker-1 worker-2; do
  sed -i "s/^port=.*/port=$PORT/" "$ROOT/../$node/etc/agent.conf"
done
