# score: 100
set -euo pipefail
# What stands behind each Service? No port, a port where nobody listens, and a pod that is not ready: three tiers, three reasons.
kubectl -n "$NS" get endpointslices
kubectl -n "$NS" get pods
kubectl -n "$NS" get services -o custom-columns=SERVICE:.metadata.name,TARGET:.spec.ports[*].targetPort
kubectl -n "$NS" get deployments -o custom-columns=TIER:.metadata.name,PORT:.spec.template.spec.containers[*].ports,PROBE:.spec.template.spec.containers[*].readinessProbe.httpGet.port
kubectl -n "$NS" get configmaps -l part-of=shop -o jsonpath='{range .items[*]}{.metadata.name}: {.data.default\.conf}{end}' | grep -E ': |listen'
# First tier: the Service takes over the container's new name.
kubectl -n "$NS" patch service "$WEB" --type json -p "[{\"op\": \"replace\", \"path\": \"/spec/ports/0/targetPort\", \"value\": \"$WEB_NAME\"}]"
# Second tier: the name is right, its number is not where nginx listens.
kubectl -n "$NS" patch deployment "$API" --type json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/ports/0/containerPort", "value": 8080}]'
# Third tier: the probe asks for a name that the container does not have any more.
kubectl -n "$NS" patch deployment "$STORE" --type json -p "[{\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/readinessProbe/httpGet/port\", \"value\": \"$STORE_NAME\"}]"
kubectl -n "$NS" rollout status deployment "$API" --timeout=90s
kubectl -n "$NS" rollout status deployment "$STORE" --timeout=90s
