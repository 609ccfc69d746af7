# score: 100; variants: protocol
# The ports by the names that the containers give them: the Service follows wherever the servers listen.
set -euo pipefail
kubectl -n kube-system get service kube-dns -o json |
  jq '.spec.ports = [{name: "dns", port: 53, protocol: "UDP", targetPort: "dns"}, {name: "dns-tcp", port: 53, protocol: "TCP", targetPort: "dns-tcp"}] + (.spec.ports | map(select(.name == "metrics")))' |
  kubectl replace -f -
kubectl -n "$NS" rollout status deployment "$FRONT" --timeout=120s
