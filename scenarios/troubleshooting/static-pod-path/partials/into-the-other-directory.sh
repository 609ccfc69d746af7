# score: 75
# What the kubelet reads now holds all five. The next upgrade will be a surprise.
set -euo pipefail
ssh control-plane "sudo cp -p /etc/kubernetes/manifests/kube-scheduler.yaml /etc/kubernetes/manifests/$PAGE.yaml $DIR/"
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
for try in $(seq 60); do kubectl -n kube-system get pods -l app="$PAGE" -o name | grep -q . && break; sleep 1; done
kubectl -n kube-system wait --for=condition=Ready pods -l app="$PAGE" --timeout=60s
