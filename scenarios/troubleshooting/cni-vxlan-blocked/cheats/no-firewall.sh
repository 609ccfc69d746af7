# score: 0; variants: firewall
# Without rules nothing is dropped, and nothing is shut either.
set -euo pipefail
ssh worker-2 sudo iptables -F "$DOORS"
sleep 5
