# score: 100
# Let kubectl write the Service anew from the Deployment. Its address changes, and nginx resolves names at its start only.
set -euo pipefail
kubectl -n "$NS" delete service "$APP"
kubectl -n "$NS" expose deployment "$APP" --name "$APP" --port "$PORT" --target-port http
kubectl -n "$NS" rollout restart deployment storefront
kubectl -n "$NS" rollout status deployment storefront --timeout=120s
