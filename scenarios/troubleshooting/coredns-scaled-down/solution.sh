# score: 100
set -euo pipefail
# How many servers are wanted, how many exist, how many run, and what does the scheduler say?
kubectl -n kube-system get deployment,pods -l k8s-app=kube-dns -o wide
kubectl -n kube-system describe pods -l k8s-app=kube-dns | grep FailedScheduling || true
kubectl -n kube-system get deployment coredns -o jsonpath='{.spec.replicas} {.spec.template.spec.affinity}{"\n"}'
# A rule that no node can meet goes; the preference that spreads the servers stays.
if [ -n "$(kubectl -n kube-system get deployment coredns -o jsonpath='{.spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution}')" ]; then
  kubectl -n kube-system patch deployment coredns --type json \
    -p '[{"op":"remove","path":"/spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution"}]'
fi
# Two copies, so that one may fail.
kubectl -n kube-system scale deployment coredns --replicas=2
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
