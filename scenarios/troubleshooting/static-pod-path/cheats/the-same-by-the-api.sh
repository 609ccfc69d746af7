# score: 0
# What the kubelet does not read is made through the API, on the same node.
set -euo pipefail
for name in "$PAGE" kube-scheduler; do
  ssh control-plane sudo cat "/etc/kubernetes/manifests/$name.yaml" > "/tmp/$name.yaml"
  kubectl create --dry-run=client -o json -f "/tmp/$name.yaml" | jq --arg node "$NODE_CONTROL_PLANE" '.spec.nodeName = $node | .spec.tolerations = [{operator: "Exists"}]' | kubectl apply -f -
done
kubectl -n "$NS" rollout status deployment "$APP" --timeout=60s
