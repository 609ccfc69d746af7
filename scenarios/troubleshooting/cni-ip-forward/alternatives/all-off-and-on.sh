# score: 100; variants: bridge
# Whatever changes the switch for all is written to every device. The file goes, for nothing else in it is needed.
set -euo pipefail
ssh worker-2 "sudo rm /etc/sysctl.d/$FILE.conf; sudo sysctl -w net.ipv4.ip_forward=0; sudo sysctl -w net.ipv4.ip_forward=1"
