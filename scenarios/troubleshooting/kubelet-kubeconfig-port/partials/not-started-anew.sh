# score: 40
# The file is right, and nobody has told the kubelet.
set -euo pipefail
ssh worker-1 "sudo sed -i -E 's#^( *server: https://.*):[0-9]+#\1:6443#' /etc/kubernetes/kubelet.conf"
