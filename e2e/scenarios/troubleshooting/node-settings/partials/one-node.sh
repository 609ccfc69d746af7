# score: 60
sed -i "s/^port=.*/port=$PORT/" "$ROOT/../worker-1/etc/agent.conf"
