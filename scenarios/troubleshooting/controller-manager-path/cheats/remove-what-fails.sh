# score: 0; variants: host-path
# Nothing in kube-system restarts any more.
ssh control-plane sudo rm /etc/kubernetes/manifests/kube-controller-manager.yaml
kubectl -n kube-system wait --for=delete pods -l component=kube-controller-manager --timeout=60s
