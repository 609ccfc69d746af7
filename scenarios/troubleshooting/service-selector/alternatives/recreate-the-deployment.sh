# score: 100
# The other way round: the Deployment is made anew with the label that the Service looks for.
set -euo pipefail
kubectl -n "$NS" get deployment "$APP" -o json | jq --arg c "$OTHER" 'del(.status,.metadata.uid,.metadata.resourceVersion) | .spec.selector.matchLabels.component=$c | .spec.template.metadata.labels.component=$c' > /tmp/d.json
kubectl replace --force -f /tmp/d.json
kubectl -n "$NS" rollout status deployment "$APP" --timeout=90s
