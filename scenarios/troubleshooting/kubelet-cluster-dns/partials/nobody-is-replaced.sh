# score: 50
# The node is mended. The pods that it made wrong go on as they are.
set -euo pipefail
ssh worker-2 'sudo kubeadm upgrade node phase kubelet-config && sudo systemctl restart kubelet'
