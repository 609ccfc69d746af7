# score: 40; variants: configurations
# The file is right, and nobody has told the runtime.
set -euo pipefail
ssh worker-2 sudo cat /etc/containerd/config.toml | ssh worker-1 'sudo tee /etc/containerd/config.toml >/dev/null'
sleep 20
