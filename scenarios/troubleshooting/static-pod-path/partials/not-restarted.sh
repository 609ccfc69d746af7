# score: 25
# The configuration is right. The kubelet that runs has read the old one.
ssh control-plane 'sudo sed -i "s#^staticPodPath:.*#staticPodPath: /etc/kubernetes/manifests#" /var/lib/kubelet/config.yaml'
