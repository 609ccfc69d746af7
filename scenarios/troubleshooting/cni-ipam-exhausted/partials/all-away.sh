# score: 60
# All leases away, those of pods that run too. Their addresses are given away some day.
set -euo pipefail
ssh worker-2 "sudo sh -c 'rm -f /var/lib/cni/networks/cbr0/*.*.*.*'"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
