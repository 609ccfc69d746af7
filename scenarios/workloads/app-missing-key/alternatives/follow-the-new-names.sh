# score: 100
# Leave the tidied names as they are, and let the workloads ask for them.
set -euo pipefail
kubectl -n "$NS" patch deployment checkout --type json -p "[
  {\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/env/0/valueFrom/secretKeyRef/key\", \"value\": \"$NEW_KEY\"}]"
kubectl -n "$NS" patch deployment receipts --type json -p "[
  {\"op\": \"replace\", \"path\": \"/spec/template/spec/volumes/0/configMap/items/0/key\", \"value\": \"$NEW_PAGE\"}]"
kubectl -n "$NS" rollout status deployment checkout --timeout=120s
kubectl -n "$NS" rollout status deployment receipts --timeout=120s
