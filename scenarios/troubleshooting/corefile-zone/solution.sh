# score: 100
set -euo pipefail
# Which domain do pods ask for, and who is in charge of it?
kubectl -n "$NS" exec "deploy/$FRONT" -- cat /etc/resolv.conf
kubectl -n kube-system get configmap coredns -o jsonpath='{.data.Corefile}' | tee /tmp/Corefile
if grep -q '^ *kubernetes ' /tmp/Corefile; then
  # The plugin is there, for another zone. The cache leaves that zone's answers alone and has to follow.
  zone=$(awk '$1 == "kubernetes" {print $2; exit}' /tmp/Corefile)
  sed -i "s/\b${zone//./\\.}\b/cluster.local/" /tmp/Corefile
else
  # The plugin is not there: put its block back, as kubeadm writes it.
  sed -i 's/^    prometheus .*/    kubernetes cluster.local in-addr.arpa ip6.arpa {\n       pods insecure\n       fallthrough in-addr.arpa ip6.arpa\n       ttl 30\n    }\n\0/' /tmp/Corefile
fi
jq -n --rawfile corefile /tmp/Corefile '{data: {Corefile: $corefile}}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
# The servers would find the change by themselves within two minutes; a restart makes it now.
kubectl -n kube-system rollout restart deployment coredns
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
