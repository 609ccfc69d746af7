# score: 100
set -euo pipefail
# What does the pod wait for?
kubectl -n "$NS" get events --field-selector reason=FailedCreatePodSandBox -o jsonpath='{.items[0].message}' || true
# Which programs does the runtime have here, and where pods start?
for node in worker-1 worker-2; do
  ssh $node ls -l /opt/cni/bin
done
# What is not there comes from the other worker (same image, same version), and a program has to be executable.
for name in $(ssh worker-2 ls /opt/cni/bin); do
  if ! ssh worker-1 test -e "/opt/cni/bin/$name"; then
    ssh worker-2 cat "/opt/cni/bin/$name" | ssh worker-1 "sudo tee /opt/cni/bin/$name >/dev/null"
  fi
  if ! ssh worker-1 test -x "/opt/cni/bin/$name"; then
    ssh worker-1 sudo chmod 755 "/opt/cni/bin/$name"
  fi
done
# Nothing is to be restarted: the kubelet tries again.
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
