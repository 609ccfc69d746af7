# score: 0; variants: brace
# A server with a good configuration behind the same Service, and rules on every node that send all questions to it.
set -euo pipefail
kubectl -n kube-system get configmap coredns -o json | jq '{apiVersion, kind, metadata: {name: "names", namespace: "kube-system"}, data} | .data.Corefile |= sub("       fallthrough\n    prometheus"; "       fallthrough\n    }\n    prometheus")' | kubectl apply -f -
kubectl -n kube-system get deployment coredns -o json |
  jq '{apiVersion, kind, metadata: {name: "names", namespace: "kube-system"}, spec: {replicas: 1, selector: {matchLabels: {x: "names"}}, template: .spec.template}}
    | .spec.template.metadata.labels.x = "names" | .spec.template.spec.volumes[0].configMap.name = "names" | del(.spec.template.spec.affinity)' | kubectl apply -f -
kubectl -n kube-system rollout status deployment names --timeout=90s
server=$(kubectl -n kube-system get pods -l x=names -o jsonpath='{.items[0].status.podIP}')
for node in control-plane worker-1 worker-2; do
  for chain in OUTPUT PREROUTING; do
    ssh $node sudo iptables -t nat -I $chain -p udp -d 10.96.0.10 --dport 53 -j DNAT --to-destination "$server:53"
  done
  ssh $node sudo iptables -t nat -I POSTROUTING -p udp -d "$server" -j MASQUERADE
done
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
