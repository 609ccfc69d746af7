# score: 30; variants: bridge
# The next boot would be good. Nobody has booted.
set -euo pipefail
ssh worker-2 "sudo rm /etc/sysctl.d/$FILE.conf; sudo sysctl -w net.ipv4.ip_forward=1"
