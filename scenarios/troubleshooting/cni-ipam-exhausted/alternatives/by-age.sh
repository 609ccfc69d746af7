# score: 100
# All are as old as the last power cut or older, and no pod that runs is.
set -euo pipefail
ssh worker-2 "sudo find /var/lib/cni/networks/cbr0 -name '*.*.*.*' -mtime +5 -delete"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
