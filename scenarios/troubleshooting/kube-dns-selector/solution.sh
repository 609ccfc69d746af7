# score: 100
set -euo pipefail
# The servers run and are ready. Who does the address in every pod's resolv.conf stand for? For nobody.
kubectl -n kube-system get pods -l k8s-app=kube-dns --show-labels
kubectl -n kube-system get endpointslices -l kubernetes.io/service-name=kube-dns
kubectl -n kube-system get service kube-dns -o wide
# The Service looks for a label that the pods do not have. Take it from where the pods get theirs: the Deployment.
label=$(kubectl -n kube-system get deployment coredns -o jsonpath='{.spec.selector.matchLabels.k8s-app}')
kubectl -n kube-system patch service kube-dns --type merge -p "{\"spec\":{\"selector\":{\"k8s-app\":\"$label\"}}}"
# Nothing has to start again: the shop comes back with its next probe.
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
