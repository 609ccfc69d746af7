# score: 100
set -euo pipefail
# An old server and new ones that crash. The new ones say why, with the line; the old one says that it refused the same file.
kubectl -n kube-system get pods -l k8s-app=kube-dns
kubectl -n kube-system logs -l k8s-app=kube-dns --prefix --tail=3 || true
kubectl -n kube-system get configmap coredns -o jsonpath='{.data.Corefile}' | cat -n
# The block as it was meant: the plugin's name is hosts, and what is opened gets closed. `fallthrough` alone on its line is the block's last one.
kubectl -n kube-system get configmap coredns -o jsonpath='{.data.Corefile}' > /tmp/Corefile
if [ "$VARIANT" = directive ]; then
  sed -i -E "s/^( *)$TYPO \{$/\1hosts {/" /tmp/Corefile
else
  sed -i -E 's/^( *)   fallthrough$/\0\n\1}/' /tmp/Corefile
fi
jq -n --rawfile corefile /tmp/Corefile '{data: {Corefile: $corefile}}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
# Not to wait for the back-off: a new rollout, which also replaces the last server that ran on what it once read.
kubectl -n kube-system rollout restart deployment coredns
kubectl -n kube-system rollout status deployment coredns --timeout=150s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
