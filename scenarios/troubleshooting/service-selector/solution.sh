# score: 100
set -euo pipefail
# The storefront says whom it asks in vain: the address is the cluster IP of the Service behind it.
kubectl -n "$NS" logs deployment/storefront --tail=2 || true
# That Service has no endpoints, although its pods are ready. What does it look for, and what do the pods carry?
kubectl -n "$NS" get endpointslices
kubectl -n "$NS" get service "$APP" -o wide
kubectl -n "$NS" get pods --show-labels
# The Deployment knows the labels of its own pods: take the same, so that the jobs' pods stay out.
labels=$(kubectl -n "$NS" get deployment "$APP" -o jsonpath='{.spec.selector.matchLabels}')
kubectl -n "$NS" patch service "$APP" --type merge -p "{\"spec\":{\"selector\":$labels}}"
# Both pods are behind the Service now.
kubectl -n "$NS" get endpointslices -l kubernetes.io/service-name="$APP"
