# score: 60; variants: tainted
# The servers tolerate what keeps everybody else out.
set -euo pipefail
kubectl -n kube-system patch deployment coredns --type json -p "[{\"op\":\"add\",\"path\":\"/spec/template/spec/tolerations/-\",\"value\":{\"key\":\"$TAINT\",\"operator\":\"Exists\"}}]"
kubectl -n kube-system rollout status deployment coredns --timeout=120s
