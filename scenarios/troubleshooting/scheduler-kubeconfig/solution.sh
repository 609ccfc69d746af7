# score: 100
set -euo pipefail
# Pending, and not one event: this is no lack of room, nobody has looked at these pods.
kubectl -n "$NS" get pods -o wide
kubectl -n "$NS" get events --field-selector reason=FailedScheduling
# The one who should have looked runs, but is not ready. Its log says where it looks for the API server.
kubectl -n kube-system get pods -l component=kube-scheduler
kubectl -n kube-system logs -l component=kube-scheduler --tail=50
# Its kubeconfig names another port than the API server's own manifest.
ssh control-plane 'sudo grep -H server: /etc/kubernetes/scheduler.conf /etc/kubernetes/controller-manager.conf'
port=$(ssh control-plane sudo cat /etc/kubernetes/manifests/kube-apiserver.yaml | sed -n 's/.*--secure-port=//p')
ssh control-plane "sudo sed -i -E 's#^( *server: https://.*):[0-9]+\$#\\1:$port#' /etc/kubernetes/scheduler.conf"
# The file is read when the container starts. What kubectl shows of a static pod is a mirror: deleting it starts nothing, so do it where it runs.
ssh control-plane 'sudo crictl stop $(sudo crictl ps -q --name "^kube-scheduler$")'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
