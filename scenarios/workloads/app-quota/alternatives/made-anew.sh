# score: 100
# Both Deployments are made anew from their own manifests with numbers that fit.
set -euo pipefail
for t in "$FRONT" "$BACK"; do
  kubectl -n "$NS" get deployment "$t" -o json | jq 'del(.status,.metadata.uid,.metadata.resourceVersion,.metadata.annotations) | .spec.template.spec.containers[0].resources = {requests:{cpu:"100m",memory:"64Mi"},limits:{cpu:"200m",memory:"64Mi"}}' | kubectl replace --force -f -
done
for t in "$FRONT" "$BACK"; do kubectl -n "$NS" rollout status deployment "$t" --timeout=90s; done
