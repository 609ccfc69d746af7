# score: 0
for node in worker-1 worker-2; do
  sed -i "s/^port=.*/port=$PORT/" "$ROOT/../$node/etc/agent.conf"
done
rm "$ROOT/../worker-1/etc/agent.key"
