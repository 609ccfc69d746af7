# score: 0
# Servers beside those of the cluster, with a configuration of their own, in the place of the ones that do not work.
set -euo pipefail
kubectl -n kube-system get configmap coredns -o json | jq '{apiVersion,kind,metadata:{name:"dns2",namespace:"kube-system"},data:(.data|.Corefile |= sub("forward [.] 169[0-9.]+"; "forward . /etc/resolv.conf"))}' | kubectl apply -f -
kubectl -n kube-system get deployment coredns -o json | jq '.metadata = {name: "dns2", namespace: "kube-system"} | del(.status) | .spec.selector.matchLabels = {"k8s-app": "dns2"} | .spec.template.metadata.labels = {"k8s-app": "dns2"} | .spec.template.spec.volumes[0].configMap.name="dns2"' | kubectl apply -f -
kubectl -n kube-system rollout status deployment dns2 --timeout=120s
kubectl -n kube-system patch service kube-dns --type merge -p '{"spec":{"selector":{"k8s-app":"dns2"}}}'
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
