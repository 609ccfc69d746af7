# score: 70; variants: tunnel
# It works, and the file is still there.
set -euo pipefail
ssh worker-2 "sudo sysctl -w net/ipv4/conf/$DEVICE/forwarding=1"
