# score: 100
set -euo pipefail
# The machine reaches a pod elsewhere, and a pod of it does not.
address=$(kubectl -n "$NS" get pods -l app="$FRONT" -o jsonpath='{.items[0].status.podIP}')
ssh worker-2 "curl -s -m 3 http://$address/healthz"
# Which device does not hand on what comes in, and who says so at the next boot?
ssh worker-2 "sudo sysctl -a 2>/dev/null | grep '\.forwarding'; sysctl net.ipv4.ip_forward; grep -rn forwarding /etc/sysctl.d"
ssh worker-2 "sudo sed -i '/forwarding *= *0/d' /etc/sysctl.d/$FILE.conf"
ssh worker-2 "sudo sysctl -w net/ipv4/conf/$DEVICE/forwarding=1"
