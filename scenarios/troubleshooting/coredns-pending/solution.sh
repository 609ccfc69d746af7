# score: 100
set -euo pipefail
# Why is there no place for them?
kubectl -n kube-system describe pods -l k8s-app=kube-dns | grep FailedScheduling || true
kubectl get nodes
kubectl get nodes -o jsonpath='{range .items[*]}{.metadata.name} {.spec.taints[*].key}{"\n"}{end}'
kubectl -n kube-system get deployment coredns -o jsonpath='{.spec.template.spec.nodeSelector}{"\n"}'
kubectl get daemonsets -A
case "$VARIANT" in
  no-cni)
    kubectl apply -f ~/kube-flannel.yml
    kubectl wait --for=condition=Ready nodes --all --timeout=120s
    ;;
  node-selector) kubectl -n kube-system patch deployment coredns --type merge -p "{\"spec\":{\"template\":{\"spec\":{\"nodeSelector\":{\"$LABEL\":null}}}}}" ;;
  tainted) kubectl taint nodes --all "$TAINT-" ;;
esac
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
