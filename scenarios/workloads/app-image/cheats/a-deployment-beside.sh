# score: 0
# Another Deployment makes pods with the labels of the site; the one that is stuck gets other labels.
set -euo pipefail
kubectl -n "$NS" get deployment web -o json | jq 'del(.status,.metadata.uid,.metadata.resourceVersion)' > /tmp/w.json
jq '.spec.selector.matchLabels = {app: "web-old"} | .spec.template.metadata.labels = {app: "web-old"}' /tmp/w.json | kubectl replace --force -f -
jq '.metadata.name = "site" | .spec.selector.matchLabels = {tier: "site"} | .spec.template.metadata.labels.tier = "site"
  | .spec.template.spec.containers[0].image = "nginx:1.29"' /tmp/w.json | kubectl create -f -
kubectl -n "$NS" rollout undo deployment feed
kubectl -n "$NS" rollout status deployment site --timeout=120s
kubectl -n "$NS" rollout status deployment feed --timeout=120s
