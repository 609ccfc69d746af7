# score: 70
# Just as many as are needed today.
set -euo pipefail
ssh worker-2 "cd /; sudo sh -c 'cd /var/lib/cni/networks/cbr0 && find . -name \"*.*.*.*\" -mtime +5 | head -n 6 | xargs rm'"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
