# score: 70; variants: no-replica
# One server from the Deployment, and a pod beside it that carries its name: two nodes, and nobody looks after the second.
set -euo pipefail
kubectl -n kube-system scale deployment coredns --replicas=1
kubectl -n kube-system rollout status deployment coredns --timeout=120s
kubectl -n kube-system wait --for=condition=Ready pods -l k8s-app=kube-dns --timeout=60s
home=$(kubectl -n kube-system get pods -l k8s-app=kube-dns -o jsonpath='{.items[0].spec.nodeName}')
other=$(kubectl get nodes -o name | sed 's#node/##' | grep -vx "$home" | tail -1)
kubectl -n kube-system get deployment coredns -o json |
  jq --arg node "$other" '{apiVersion: "v1", kind: "Pod", metadata: {name: "coredns-5d78c-x2x4z", namespace: "kube-system", labels: {"k8s-app": "kube-dns"}}, spec: (.spec.template.spec | del(.affinity) | .nodeName = $node)}' |
  kubectl apply -f -
kubectl -n kube-system wait --for=condition=Ready pod/coredns-5d78c-x2x4z --timeout=60s
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
