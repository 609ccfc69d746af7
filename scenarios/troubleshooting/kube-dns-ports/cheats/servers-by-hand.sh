# score: 0; variants: protocol
# A Service without a selector, and the servers of today written down behind it, with the right ports.
set -euo pipefail
kubectl -n kube-system get pods -l k8s-app=kube-dns -o json |
  jq '{apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: {name: "kube-dns-static", namespace: "kube-system", labels: {"kubernetes.io/service-name": "kube-dns"}},
       addressType: "IPv4", endpoints: [.items[] | {addresses: [.status.podIP], conditions: {ready: true}, nodeName: .spec.nodeName, targetRef: {kind: "Pod", namespace: "kube-system", name: .metadata.name, uid: .metadata.uid}}],
       ports: [{name: "dns", port: 53, protocol: "UDP"}, {name: "dns-tcp", port: 53, protocol: "TCP"}, {name: "metrics", port: 9153, protocol: "TCP"}]}' > /tmp/slice.json
kubectl -n kube-system patch service kube-dns --type json -p '[{"op":"remove","path":"/spec/selector"},{"op":"replace","path":"/spec/ports","value":[{"name":"dns","port":53,"protocol":"UDP","targetPort":53},{"name":"dns-tcp","port":53,"protocol":"TCP","targetPort":53},{"name":"metrics","port":9153,"protocol":"TCP","targetPort":9153}]}]'
kubectl -n kube-system delete endpointslices -l kubernetes.io/service-name=kube-dns
kubectl apply -f /tmp/slice.json
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
