# score: 40; variants: socket
# The configuration is right, and the next boot will be. The kubelet that runs has read the old one.
ssh worker-1 "sudo sed -i -E 's#^(containerRuntimeEndpoint:).*#\1 unix:///run/containerd/containerd.sock#' /var/lib/kubelet/config.yaml"
