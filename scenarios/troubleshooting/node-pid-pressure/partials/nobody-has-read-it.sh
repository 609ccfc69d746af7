# score: 40; variants: pids
# What is written is right now. The process that runs has read what was there before.
set -euo pipefail
ssh worker-2 "sudo sed -i -E '/^ +pid\.available:/d; /^maxPods:/d' /var/lib/kubelet/config.yaml"
