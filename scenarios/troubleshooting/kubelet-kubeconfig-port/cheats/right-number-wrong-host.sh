# score: 0
# The number is the right one. Nobody is at home there.
ssh worker-1 'sudo sed -i -E "s#^( *server: https://).*#\1nowhere:6443#" /etc/kubernetes/kubelet.conf; sudo systemctl restart kubelet'
