# score: 100
for node in worker-1 worker-2; do
  printf 'port=%s\n' "$PORT" > "$ROOT/../$node/etc/agent.conf"
done
