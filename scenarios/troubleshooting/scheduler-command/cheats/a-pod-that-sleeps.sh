# score: 0; variants: command
# Something under that name runs and calls itself ready.
set -euo pipefail
ssh control-plane 'sudo tee /etc/kubernetes/manifests/kube-scheduler.yaml >/dev/null' <<'MANIFEST'
apiVersion: v1
kind: Pod
metadata:
  name: kube-scheduler
  namespace: kube-system
  labels: { component: kube-scheduler, tier: control-plane }
spec:
  hostNetwork: true
  containers:
  - name: kube-scheduler
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, "86400"]
MANIFEST
for i in $(seq 60); do
  [ "$(kubectl -n kube-system get pods -l component=kube-scheduler -o jsonpath='{.items[*].status.containerStatuses[0].ready}')" = true ] && break
  sleep 1
done
