# score: 100; variants: image
# Take the manifest out, so that nothing starts half-way, mend it where the kubelet does not look, and put it back.
set -euo pipefail
wrong=$(kubectl -n kube-system get pods -l component=kube-scheduler -o json |
  jq -r '.items[0].spec.containers[0] | [.command[0], (.image | split("/") | last | split(":") | first)] | map(select(. != "kube-scheduler")) | first')
ssh control-plane "sudo mv /etc/kubernetes/manifests/kube-scheduler.yaml /root/
  sudo sed -i 's/$wrong/kube-scheduler/' /root/kube-scheduler.yaml
  sudo mv /root/kube-scheduler.yaml /etc/kubernetes/manifests/
  sudo systemctl restart kubelet"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
