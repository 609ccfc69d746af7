# score: 0; variants: peers
# Nothing ends again and again any more.
ssh control-plane 'sudo rm /etc/kubernetes/manifests/etcd.yaml /etc/kubernetes/manifests/kube-apiserver.yaml'
