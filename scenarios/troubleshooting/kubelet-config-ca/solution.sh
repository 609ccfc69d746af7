# score: 100
set -euo pipefail
# The node says nothing: its agent is asked on the spot.
ssh worker-2 'sudo journalctl -u kubelet --no-pager -n 200' | grep -m1 'command failed' || true
# It is to believe certificates of an authority whose file is not there. Which one does a worker name that is well?
ssh worker-1 sudo grep -n clientCAFile /var/lib/kubelet/config.yaml
ssh worker-2 sudo grep -n clientCAFile /var/lib/kubelet/config.yaml
ssh worker-2 ls -l /etc/kubernetes/pki
# The cluster's authority again, and the agent reads its configuration.
ssh worker-2 "sudo sed -i -E 's#^( *clientCAFile: ).*#\1/etc/kubernetes/pki/ca.crt#' /var/lib/kubelet/config.yaml"
ssh worker-2 sudo systemctl restart kubelet
kubectl wait --for=condition=Ready "node/$NODE_WORKER_2" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
# The API server is let in again.
kubectl -n "$NS" logs "deployment/$APP" -c audit --tail=1
