# score: 100; variants: directive
# Comments beside the plugins do no harm.
set -euo pipefail
kubectl -n kube-system get configmap coredns -o jsonpath='{.data.Corefile}' > /tmp/Corefile
if [ "$VARIANT" = directive ]; then sed -i -E "s/^( *)$TYPO \{$/\1hosts { # was $TYPO/" /tmp/Corefile; else sed -i -E 's/^( *)   fallthrough$/\0\n\1}/' /tmp/Corefile; fi
sed -i -E 's/^( *(loop|errors|reload))$/\1 # stays/' /tmp/Corefile
jq -n --rawfile corefile /tmp/Corefile '{data: {Corefile: $corefile}}' > /tmp/patch.json
kubectl -n kube-system patch configmap coredns --type merge --patch-file /tmp/patch.json
kubectl -n kube-system delete pods -l k8s-app=kube-dns
kubectl -n kube-system rollout status deployment coredns --timeout=150s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
