# score: 100; variants: tunnel
# The benchmark's file stays as it is; one that is read after it says what this machine needs.
set -euo pipefail
ssh worker-2 "printf 'net/ipv4/conf/$DEVICE/forwarding = 1\n' | sudo tee /etc/sysctl.d/99-zz-kubernetes.conf >/dev/null; sudo sysctl -p /etc/sysctl.d/99-zz-kubernetes.conf"
