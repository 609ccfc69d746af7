# score: 40; variants: image
# Be the scheduler for a minute. The sale has its replicas; the next pod waits again.
set -euo pipefail
end=$((SECONDS + 150))
until kubectl -n "$NS" rollout status deployment "$APP" --timeout=2s; do
  for pod in $(kubectl -n "$NS" get pods -o json | jq -r '.items[] | select(.spec.nodeName == null) | .metadata.name'); do
    jq -n --arg pod "$pod" --arg ns "$NS" --arg node "$NODE_WORKER_2" \
      '{apiVersion: "v1", kind: "Binding", metadata: {name: $pod, namespace: $ns}, target: {apiVersion: "v1", kind: "Node", name: $node}}' |
      kubectl create --raw "/api/v1/namespaces/$NS/pods/$pod/binding" -f - || true
  done
  [ $SECONDS -lt $end ]
done
